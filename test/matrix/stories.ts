import { randomUUID } from 'node:crypto'
import type { Serve, Served } from '@trigger-hub/conformance'
import { TriggerHub, type Driver } from '@trigger-hub/core'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { eventually } from '../eventually.ts'
import { adapters } from './adapters.ts'

const source = hmac({ secret: 'a secret of the matrix' })

/** One app of an adapter with a hub on a driver, and bots that note what they saw. */
class Cell {
  readonly runs: { bot: string; event: string; attempt: number }[] = []
  /** While true, bot `billing` fails. */
  isBroken = false
  readonly hub: TriggerHub
  readonly #driver: Driver
  #served: Served | undefined

  constructor(driver: Driver) {
    this.#driver = driver
    const retry = { retries: 1, base: 50 } as const
    this.hub = new TriggerHub({
      driver,
      sources: { shop: source },
      acceptTimeout: '10s',
      log: () => undefined,
    })
      .bot('shipping', { on: 'shop:**', retry }, ({ id }, { attempt }) => this.#ran('shipping', id, attempt))
      .bot('billing', { on: 'shop:**', retry }, ({ id }, { attempt }) => {
        this.#ran('billing', id, attempt)
        if (this.isBroken) throw new Error('the other side is away')
      })
  }

  async open(serve: Serve): Promise<void> {
    this.#served = await serve({ hubs: { '/webhooks': this.hub } })
    await this.hub.work()
  }

  async post(key: string): Promise<{ status: number; event: string | null; duplicate: string | null }> {
    const body = JSON.stringify({ key })
    const { status, headers } = await fetch(`${this.#served?.url}/webhooks/shop`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-idempotency-key': key,
        ...sign(source, { rawBody: Buffer.from(body), id: key, nowMs: Date.now() }),
      },
      body,
    })
    const event = headers.get('trigger-hub-event')
    return { status, event, duplicate: headers.get('trigger-hub-duplicate') }
  }

  /** How often each bot ran for an event, once there have been so many runs. */
  async runsOf(event: string | null, count: number): Promise<Record<string, number[]>> {
    const of = (): Cell['runs'] => this.runs.filter((run) => run.event === event)
    await eventually(() => of().length >= count)
    const attempts = (name: string): number[] =>
      of().flatMap(({ bot, attempt }) => (bot === name ? [attempt] : []))
    return { shipping: attempts('shipping'), billing: attempts('billing') }
  }

  async deadLetters(event: string | null, count: number): Promise<(string | null)[]> {
    const list = () => this.hub.deadLetters.list({ event: event ?? '' })
    await eventually(async () => (await list()).length === count)
    return (await list()).map(({ bot }) => bot)
  }

  /** The driver is gone, and the hub does not know. */
  async loseDriver(): Promise<void> {
    await this.#driver.close()
  }

  async close(): Promise<void> {
    await this.#served?.close()
    await this.hub.close({ deadline: 1_000 })
  }

  #ran(bot: string, event: string, attempt: number): void {
    this.runs.push({ bot, event, attempt })
  }
}

/** What must hold for every adapter on this driver. @param make  a driver on a backend of its own */
export function stories(make: () => Driver): void {
  jest.setTimeout(60_000)

  describe.each(Object.entries(adapters))('%s', (_, serve) => {
    let cell: Cell
    beforeAll(async () => {
      cell = new Cell(make())
      await cell.open(serve)
    })
    afterAll(() => cell.close())

    it('answers once stored, runs every bot once, and knows a repeat', async () => {
      const key = randomUUID()
      const first = await cell.post(key)
      expect(first).toMatchObject({ status: 200, duplicate: null })
      expect(await cell.runsOf(first.event, 2)).toEqual({ shipping: [1], billing: [1] })
      expect(await cell.post(key)).toEqual({ ...first, duplicate: '?1' })
      expect(await cell.runsOf(first.event, 2)).toEqual({ shipping: [1], billing: [1] })
    })

    it('makes one event of ten equal requests at once', async () => {
      const key = randomUUID()
      const answers = await Promise.all(Array.from({ length: 10 }, () => cell.post(key)))
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
      expect(new Set(answers.map(({ event }) => event)).size).toBe(1)
      expect(await cell.runsOf(answers[0]?.event ?? null, 2)).toEqual({ shipping: [1], billing: [1] })
    })

    it('retries the bot that fails, dead-letters it, and redrives it alone when the sender repeats', async () => {
      cell.isBroken = true
      const key = randomUUID()
      const { event } = await cell.post(key)
      expect(await cell.deadLetters(event, 1)).toEqual(['billing'])
      expect(await cell.runsOf(event, 3)).toEqual({ shipping: [1], billing: [1, 2] })
      cell.isBroken = false
      expect(await cell.post(key)).toMatchObject({ status: 200, event, duplicate: '?1' })
      expect(await cell.runsOf(event, 4)).toEqual({ shipping: [1], billing: [1, 2, 1] })
      expect(await cell.deadLetters(event, 0)).toEqual([])
    })

    it('answers 503 when the driver is out of reach', async () => {
      await cell.loseDriver()
      expect((await cell.post(randomUUID())).status).toBe(503)
    })
  })
}

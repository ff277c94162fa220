import { randomUUID } from 'node:crypto'
import type { DeadLetter, EventRecord, Held, Trace } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { Redis } from 'ioredis'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'

const dayMs = 86_400_000

const event: EventRecord = {
  id: 'event',
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 1,
  headers: {},
  rawBody: Buffer.from('{}'),
}
const letter: Omit<DeadLetter, 'id'> = { bot: 'mail', reason: 'exhausted', at: 1, event, attempts: [] }

needs('redis', (url) => {
  let client: Redis
  let store: ReturnType<typeof redis>
  let prefix: string
  beforeEach(() => {
    prefix = `companion-${randomUUID().slice(0, 8)}`
    client = new Redis(url)
    store = redis(url, { prefix })
  })
  afterEach(async () => {
    await store.close()
    client.disconnect()
  })

  async function claim(key: string, { leaseMs = dayMs, ...trace }: Partial<Trace> & { leaseMs?: number }) {
    const full = { note: 'note', keepMs: dayMs, bot: 'mail', ...trace }
    const claimed = await store.claim(key, 'print', { leaseMs, timeoutMs: 5_000, trace: full })
    if (claimed.is !== 'claimed') throw new Error(`The key is ${claimed.is}.`)
    return claimed satisfies Held
  }
  const names = async (): Promise<string[]> => {
    const keys = await client.keys(`{${prefix}}:*`)
    return keys.map((key) => key.slice(prefix.length + 3)).sort()
  }

  test('keeps of a finished claim its end alone, and of any other nothing for ever', async () => {
    await store.release(await claim('done', {}), 'failed')
    await store.complete(await claim('done', {}), { status: 200, headers: {} }, dayMs)
    await store.release(await claim('free', {}))
    expect(await names()).toEqual(['claim:done'])
    expect((await client.hkeys(`{${prefix}}:claim:done`)).sort()).toEqual([
      'fingerprint',
      'headers',
      'status',
    ])
    await claim('held', {})
    await store.release(await claim('left', {}), 'failed')
    expect(await names()).toEqual(['claim:done', 'claim:held', 'claim:left', 'held:mail', 'left:mail'])
    for (const name of await names()) expect(await client.pttl(`{${prefix}}:${name}`)).toBeGreaterThan(0)
  })

  test('counts at a cost that does not grow with the claims that are forgotten', async () => {
    await claim('held', {})
    for (let nth = 0; nth < 500; nth++) await claim(`gone ${nth}`, { leaseMs: 1, keepMs: 1 })
    for (let nth = 0; nth < 500; nth++) {
      await store.release(await claim(`gone ${nth}`, { leaseMs: 1_000, keepMs: 1 }), 'left')
    }
    expect(await client.zcard(`{${prefix}}:held:mail`)).toBeLessThan(100)
    expect(await client.zcard(`{${prefix}}:left:mail`)).toBeLessThan(100)
    await eventually(async () => (await store.tally('mail')).left === 0) // the last one is about to be forgotten
    expect(await store.tally('mail')).toEqual({ held: 1, left: 0, deadLetters: 0 })
  })

  test('leaves a dead letter of another driver to its redrive, and frees it when it is discarded', async () => {
    await store.declare([{ name: 'mail', on: ['shop:**'] }])
    await store.bury(letter, 'once')
    await store.bury({ ...letter, bot: null, reason: 'key-reused' }, 'quarantined')
    expect(await store.deadLetters.redrive({})).toBe(0)
    expect(await store.deadLetters.discard({ bot: 'mail' })).toBe(1)
    expect(await store.deadLetters.discard({ reason: 'key-reused' })).toBe(1)
    expect(await names()).toEqual(['bots', 'dead', 'version'])
  })
})

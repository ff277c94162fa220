import { createHash } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { PermanentError, steps, WebhookError, type Ack, type Driver } from '@trigger-hub/core'
import { hmac } from '@trigger-hub/core/sources'
import { createServer, TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'
import { continued } from '../processes/continued.ts'
import type { Born } from '../processes/forked.ts'
import { crashBots } from './bots.ts'
import { driverOf, type BrokerPoint, type DriverChoice } from './drivers.ts'
import { crashSecret } from './secret.ts'
import { appender, type Buried, type Run } from './ledger.ts'

/** How a process of the crash runs is to be. It gets this as JSON. */
export interface AppOptions {
  /** Where the database and all logs are. */
  readonly folder: string
  readonly role: 'both' | 'receiver' | 'worker'
  readonly ack?: Ack
  /** Default 5,000: longer than a busy machine, or its disk, keeps a process from renewing it. */
  readonly leaseMs?: number
  /** Default: the database in its folder. */
  readonly driver?: DriverChoice
  /** How long a bot's run takes. */
  readonly workMs?: number | 'until SIGUSR2'
  /** How long the driver is held up before it stores an event. */
  readonly storeMs?: number
  /** Ends this process with SIGKILL at this point of the first event that gets there. */
  readonly dieAt?: 'before the durable write' | 'after the durable write' | 'after the effect' | BrokerPoint
}

/** What it says to its parent. */
export type Said = Born | { readonly is: 'working' } | { readonly is: 'quiet' }
/** What it is told. */
export type Told = 'start' | 'when quiet'

const options = JSON.parse(process.argv[2] ?? '{}') as AppOptions
const { folder, role, ack = 'durable', leaseMs = 5_000, workMs = 5, storeMs = 0, dieAt } = options

/** What is logged while a server is away. */
const ofOutages: readonly string[] = ['ERR_DRIVER_UNAVAILABLE', 'ERR_EVENT_IN_FLIGHT']

const die = (): void => void process.kill(process.pid, 'SIGKILL')
const say = (said: Said): void => void process.send?.(said)

/** The driver with something in its way. */
function driver(): Driver {
  const sound = driverOf(options.driver, { folder, leaseMs, at: (point) => void (point === dieAt && die()) })
  const accept = sound.accept.bind(sound)
  sound.accept = async (event, how) => {
    if (dieAt === 'before the durable write') die()
    if (storeMs > 0) await wait(storeMs)
    const accepted = await accept(event, how)
    if (dieAt === 'after the durable write') die()
    return accepted
  }
  return sound
}

const hub = new TriggerHub({
  driver: driver(),
  sources: { shop: hmac({ secret: crashSecret }) },
  ack,
  acceptTimeout: '2s',
  signals: true,
  log: ({ code, message }) => {
    const isExpected = code === 'ERR_CLOSING' || (options.driver && ofOutages.includes(code))
    if (code.startsWith('ERR_') && !isExpected) process.stderr.write(`${process.pid} ${code} ${message}\n`)
  },
})

const digestOf = (body: Buffer): string => createHash('sha256').update(body).digest('base64url')
const bots = crashBots((message) => new PermanentError(message))
const lines = new Map(bots.map(({ name }) => [name, appender<Run>(folder, `bot-${name}`)]))

let isWorking = false

for (const { name, on, work } of bots) {
  const write = lines.get(name)!
  hub.bot(
    name,
    { on: on as 'shop:**', concurrency: 20, retry: { retries: 20, schedule: 'fixed', base: 20 } },
    async (event, context) => {
      const { attempt, redelivered } = context
      const of = {
        bot: name,
        event: event.id,
        attempt,
        pid: process.pid,
        key: event.key ?? '',
        digest: digestOf(event.rawBody),
        redelivered,
      }
      write({ is: 'started', ...of })
      if (!isWorking) say({ is: 'working' })
      isWorking = true
      await (workMs === 'until SIGUSR2' ? continued : wait(workMs))
      try {
        work(of.key, context)
      } catch (error) {
        write({ is: 'failed', ...of })
        throw error
      }
      write({ is: 'done', ...of })
      if (dieAt === 'after the effect' && name === 'audit') die() // others may not have begun yet
    },
  )
}
steps.settled.subscribe((message) => {
  const { bot, event, attempt, outcome } = message as {
    bot: string
    event: string
    attempt: number
    outcome: Run['is'] | 'unknown'
  }
  if (outcome !== 'unknown') lines.get(bot)?.({ is: outcome, bot, event, attempt, pid: process.pid })
})

async function start(): Promise<void> {
  const app = express()
  app.use('/webhooks', webhooks(hub))
  const server = role === 'worker' ? createHttpServer() : createServer(app)
  await opened()
  if (role !== 'receiver') await hub.work()
  server.listen(0, '127.0.0.1', () => say({ is: 'up', port: (server.address() as AddressInfo).port }))
}

/** As long as a busy machine needs: a driver out of reach may be there at the next try. */
async function opened(): Promise<void> {
  for (;;) {
    try {
      return await hub.start()
    } catch (error) {
      if (!WebhookError.is(error) || !error.retryable) throw error
    }
  }
}

/** Waits until nothing is left to do, then writes down what was given up on. */
async function untilQuiet(): Promise<void> {
  for (;;) {
    const report = await hub.inspect().catch((error: unknown) => {
      if (error instanceof WebhookError && error.retryable) return undefined // the driver is on its way back
      throw error
    })
    if (report?.bots.every(({ backlog, waiting, running }) => backlog + waiting + running === 0)) break
    await wait(20)
  }
  const bury = appender<Buried>(folder, 'buried')
  for (let after: string | undefined; ;) {
    const letters = await hub.deadLetters.list({ limit: 500, ...(after === undefined ? {} : { after }) })
    for (const { bot, reason, event } of letters) bury({ key: event.key ?? '', bot, reason })
    after = letters.at(-1)?.id
    if (after === undefined) break
  }
  say({ is: 'quiet' })
}

process.on('message', (told: Told) => {
  const task = told === 'start' ? start() : untilQuiet()
  task.catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(1)
  })
})
process.on('warning', ({ name, message }) => {
  if (name !== 'MaxListenersExceededWarning') return
  process.stderr.write(`${message}\n`)
  process.exit(1)
})
process.on('disconnect', () => process.exit(2)) // nobody is there to end it
say({ is: 'loaded' })

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Store } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { idempotency } from '@trigger-hub/express'
import { redis } from '@trigger-hub/redis'
import express from 'express'
import { appender } from '../crash/ledger.ts'
import { continued } from '../processes/continued.ts'
import type { Born } from '../processes/forked.ts'

/** How a process with a guarded route is to be. It gets this as JSON. */
export interface GuardedApp {
  /** Where the database and the logs are. */
  readonly folder: string
  /** URL of a Redis, which is used instead of the database. */
  readonly redis?: string
  /** Names the keys of one test in that Redis. */
  readonly prefix?: string
  readonly leaseMs: number
  readonly waitMs: number
  /** How long the route takes. */
  readonly workMs: number | 'until SIGUSR2'
}

/** What a route wrote about one of its runs. */
export interface Effect {
  readonly is: 'begun' | 'done'
  readonly key: string
  readonly pid: number
}

/** What the guard logged. */
export interface Warning {
  readonly code: string
  readonly message: string
  readonly pid: number
}

const { folder, prefix, leaseMs, waitMs, workMs, ...options } = JSON.parse(
  process.argv[2] ?? '{}',
) as GuardedApp
const { pid } = process
const say = (said: Born): void => void process.send?.(said)
const write = appender<Effect>(folder, 'effects')
const warn = appender<Warning>(folder, 'warnings')

const store: Store =
  options.redis === undefined
    ? embedded({ path: join(folder, 'guard.db') })
    : redis(options.redis, prefix === undefined ? {} : { prefix })
const guard = idempotency({
  store,
  lease: leaseMs,
  wait: waitMs,
  storeTimeout: '5s', // the machine of a test may be busy
  log: ({ code, message }) => warn({ code, message, pid }),
})

const app = express()
app.post('/charges', express.json(), guard, async (req, res) => {
  const key = req.webhook?.key ?? ''
  write({ is: 'begun', key, pid })
  await (workMs === 'until SIGUSR2' ? continued : wait(workMs))
  write({ is: 'done', key, pid })
  // no two runs give the same bytes
  res.status(201).type('application/octet-stream').set('location', `/charges/${key}`).send(randomBytes(400))
})

process.on('message', () => {
  const server = app.listen(0, '127.0.0.1', () =>
    say({ is: 'up', port: (server.address() as AddressInfo).port }),
  )
})
process.on('disconnect', () => process.exit(2)) // nobody is there to end it
say({ is: 'loaded' })

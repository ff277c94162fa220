import { randomBytes, randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fingerprint, type Driver } from '@trigger-hub/core'

/** How many accepts are under way at any time. */
export const inFlight = 64

/** 2 KB. */
export const body = Buffer.from(JSON.stringify({ order: randomBytes(1_014).toString('hex') }))
const print = fingerprint(body)

export interface Measured {
  readonly perSecond: number
  /** Of all threads of the process. */
  readonly cpuMicros: number
  readonly longestStallMs: number
}

/** What each of so many events costs. */
export async function measured(events: number, task: () => unknown): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await task()
  const tookMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  delay.disable()
  return {
    perSecond: (events / tookMs) * 1_000,
    cpuMicros: (user + system) / events,
    longestStallMs: delay.max / 1e6,
  }
}

/** Has a driver accept so many events, each with a key of its own. */
export async function accept(driver: Driver, events: number, ttlMs = 86_400_000): Promise<void> {
  let left = events
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const id = randomUUID()
      await driver.accept(
        {
          id,
          source: 'shop',
          type: 'orders.create',
          rawType: 'orders/create',
          time: Date.now(),
          key: id,
          contentType: 'application/json',
          headers: { 'user-agent': 'bench', 'x-topic': 'orders/create' },
          rawBody: body,
        },
        { key: id, fingerprint: print, ttlMs, token: id, timeoutMs: 30_000 },
      )
    }
  }
  await Promise.all(Array.from({ length: inFlight }, sender))
}

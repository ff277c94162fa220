import type { AddressInfo } from 'node:net'
import { memory } from '@trigger-hub/core/memory'
import { github, hmac, shopify, slack, standardWebhooks, stripe, svix } from '@trigger-hub/core/sources'
import { createServer, idempotency, TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'

/** What the server says about itself since it was asked last. */
export interface Report {
  readonly is: 'report'
  /** The longest time that one turn of the event loop kept others waiting, milliseconds. */
  readonly stallMs: number
  /** How far the resident memory rose above where it was, bytes. */
  readonly grownBytes: number
  readonly accepted: number
}
export type Said = { readonly is: 'up'; readonly port: number; readonly slowness: number } | Report

/** What the server is started with, as JSON. */
export interface Started {
  readonly bodyTimeout?: number
}

export const fuzzSecret = 'the secret of the fuzzed server'
const standardSecret = `whsec_${Buffer.from(fuzzSecret).toString('base64')}`

export const fuzzSources = {
  plain: hmac({ secret: fuzzSecret }),
  github: github({ secret: fuzzSecret }),
  shopify: shopify({ secret: fuzzSecret }),
  slack: slack({ secret: fuzzSecret }),
  standard: standardWebhooks({ secret: standardSecret }),
  stripe: stripe({ secret: fuzzSecret }),
  svix: svix({ secret: standardSecret }),
}

function serve({ bodyTimeout = 10_000 }: Started): void {
  const driver = memory()
  const accept = driver.accept.bind(driver)
  let accepted = 0
  driver.accept = (event, options) => {
    accepted++
    return accept(event, options)
  }
  const hub = new TriggerHub({
    driver,
    allowVolatile: true,
    sources: fuzzSources,
    bodyTimeout,
    log: () => undefined,
  })
  hub.bot('reads', { on: '*:**' }, ({ data }) => typeof data)
  const app = express()
  app.use('/webhooks', webhooks(hub))
  app.post('/guarded', idempotency({ store: driver, bodyTimeout }), (_req, res) => void res.end('ran'))

  app.use((_req, res) => void res.status(404).end()) // Express's own would wait for the whole body

  const slow = slowness()
  const watch = watched()
  process.on('message', () => {
    // bots run after the answer: they shall have had their turn
    setTimeout(() => {
      process.send?.({ is: 'report', ...watch(), accepted } satisfies Report)
      accepted = 0
    }, 20)
  })
  process.on('disconnect', () => process.exit(0))
  const server = createServer(app)
  void hub.work().then(() =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      process.send?.({ is: 'up', port, slowness: slow } satisfies Said)
    }),
  )
}

/**
 * Watches the event loop and the memory. A turn counts with the time that it took or with the CPU time that this
 * process used in it, whichever is less: a busy machine that lets the process wait is not a stall of its own.
 */
function watched(): () => Pick<Report, 'stallMs' | 'grownBytes'> {
  const everyMs = 5
  let last = { at: performance.now(), cpu: process.cpuUsage() }
  let stallMs = 0
  let rss = process.memoryUsage.rss()
  let most = rss
  setInterval(() => {
    const cpu = process.cpuUsage(last.cpu)
    const tookMs = performance.now() - last.at - everyMs
    stallMs = Math.max(stallMs, Math.min(tookMs, (cpu.user + cpu.system) / 1_000))
    most = Math.max(most, process.memoryUsage.rss())
    last = { at: performance.now(), cpu: process.cpuUsage() }
  }, everyMs)
  return () => {
    const report = { stallMs, grownBytes: most - rss }
    stallMs = 0
    rss = most = process.memoryUsage.rss()
    return report
  }
}

/** What the work below took on the machine for which the bounds of the tests were chosen, milliseconds of CPU time. */
const usualMs = 20

/** How many times slower than that machine this one is: the least of several runs, which others on it disturb little. */
function slowness(): number {
  const text = `[${'{"a":"b c","d":[1,2.5,null]},'.repeat(20_000)}0]`
  const tookMs = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    JSON.parse(JSON.stringify(JSON.parse(text)))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return Math.min(...tookMs) / usualMs
}

if (require.main === module) serve(JSON.parse(process.argv[2] ?? '{}') as Started)

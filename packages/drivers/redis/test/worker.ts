/** A process of its own with one consumer, of bot `all`, that runs one delivery at a time until it is told to go on. */
import { redis } from '@trigger-hub/redis'
import type { Born } from '../../../../test/processes/forked.ts'

export interface WorkerOptions {
  readonly url: string
  readonly prefix: string
  readonly leaseMs: number
}

export type WorkerSaid = Born | { readonly is: 'running'; readonly event: string; readonly attempt: number }
export type WorkerTold = 'start' | 'go'

const { url, prefix, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const say = (said: WorkerSaid): void => void process.send?.(said)
let go: () => void = () => undefined

async function start(): Promise<void> {
  const driver = redis(url, { prefix, lease: leaseMs })
  const around = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }
  await driver.consume('all', around, async ({ event, attempt }) => {
    say({ is: 'running', event: event.id, attempt })
    await new Promise<void>((resolve) => (go = resolve))
    return { is: 'done' }
  })
  say({ is: 'up', port: 0 })
}

process.on('message', (told: WorkerTold) => (told === 'start' ? void start() : go()))
process.on('disconnect', () => process.exit(2))
say({ is: 'loaded' })

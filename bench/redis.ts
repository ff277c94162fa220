/**
 * What the Redis driver costs beside BullMQ's `add`, both on one Redis of our own, one after the other in each round:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/redis.ts [events]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process. An accept claims the key, stores the event and gives it to its bot;
 * an `add` (with a job id) does the same without telling another body under the same id.
 */
import { randomUUID } from 'node:crypto'
import { redis } from '@trigger-hub/redis'
import { Queue, Worker } from 'bullmq'
import { startRedis } from '../scripts/services/redis.ts'
import { accept, body, inFlight } from './accept.ts'
import { compare, handled, inTurns, lanes } from './beside.ts'

export async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 20_000)
  for (const appendfsync of ['everysec', 'always'] as const) {
    const server = await startRedis({ appendfsync })
    const port = Number(new URL(server.url).port)
    const driver = redis(server.url)
    const queue = new Queue('bench', { connection: { port } })
    await driver.declare([{ name: 'mail', on: ['shop:**'] }])

    const text = body.toString()
    const adds = (): Promise<void> =>
      lanes(events, () => queue.add('order', text, { jobId: randomUUID(), removeOnComplete: true }))

    const handles = async (): Promise<void> => (await handled(driver, events)).drain(5_000)
    const works = async (): Promise<void> => {
      let left = events
      let isOver = (): void => undefined
      const over = new Promise<void>((resolve) => (isOver = resolve))
      const worker = new Worker('bench', async () => undefined, { connection: { port }, concurrency: 100 })
      worker.on('completed', () => void (--left === 0 && isOver()))
      await over
      await worker.close()
    }

    const of = await inTurns(events, [
      [
        ['redis accept', () => accept(driver, events, 60_000)],
        ['BullMQ add', adds],
      ],
      [
        ['redis handle', handles],
        ['BullMQ handle', works],
      ],
    ])
    console.log(
      `\nNode.js ${process.versions.node}, 2 KB bodies, ${inFlight} in flight, appendfsync ${appendfsync}`,
    )
    compare(of, 'redis accept', 'BullMQ add')
    compare(of, 'redis handle', 'BullMQ handle')
    await driver.close()
    await queue.close()
    await server.stop()
  }
}

void main()

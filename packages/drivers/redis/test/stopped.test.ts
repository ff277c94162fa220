import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { redis } from '@trigger-hub/redis'
import { Redis } from 'ioredis'
import { eventually } from '../../../../test/eventually.ts'
import { endAll, Forked } from '../../../../test/processes/forked.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'
import type { WorkerOptions, WorkerSaid, WorkerTold } from './worker.ts'

jest.setTimeout(60_000)

const leaseMs = 5_000

class Worker extends Forked {
  constructor(options: WorkerOptions) {
    super(join(__dirname, 'worker.ts'), options)
  }
  go(): void {
    this.tell('go' satisfies WorkerTold)
  }
  runs(): Promise<WorkerSaid & { is: 'running' }> {
    return this.hears('running')
  }
}

needs('redis', (url) => {
  test('a worker that was stopped while deliveries were on their way to it begins none under its dead lease', async () => {
    const prefix = `stopped-${randomUUID().slice(0, 8)}`
    const client = new Redis(url)
    const proxy = await Proxy.to(Number(new URL(url).port))
    const driver = redis(url, { prefix, lease: leaseMs })
    const accept = async (id: string): Promise<void> => {
      const event = { id, source: 'shop', type: 'a', rawType: 'a', time: 1, headers: {} }
      const how = { fingerprint: id, ttlMs: 60_000, token: id, timeoutMs: 2_000 }
      await driver.accept({ ...event, rawBody: Buffer.from('{}') }, how)
    }
    /** What the worker runs, or is about to. */
    const running = async (): Promise<string[]> => {
      const [key = ''] = await client.keys(`{${prefix}}:running:*`)
      return (await client.hkeys(key)).filter((field) => field.includes('/'))
    }
    try {
      await driver.declare([{ name: 'all', on: ['*:**'] }])
      for (const id of ['first', 'second', 'third']) await accept(id)
      const worker = new Worker({ url: `redis://127.0.0.1:${proxy.port}`, prefix, leaseMs })
      const first = worker.runs()
      await worker.start()
      await first
      const second = worker.runs()
      worker.go()
      await second
      // the first is settled, so that the scripts are known to the server and none has to be sent again
      await eventually(async () => String(await running()) === 'all/second')

      proxy.stall('answers')
      worker.go()
      await eventually(async () => String(await running()) === 'all/third') // the second is settled
      worker.kill('SIGSTOP')
      const takenOver: string[] = []
      const around = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }
      const successor = await driver.consume('all', around, async ({ event, attempt }) => {
        takenOver.push(`${event.id}, attempt ${attempt}`)
        return { is: 'done' }
      })
      await eventually(() => takenOver.length > 0)
      await successor.drain(5_000)
      expect(takenOver).toEqual(['third, attempt 2'])

      const next = worker.runs()
      proxy.fair()
      worker.kill('SIGCONT')
      await accept('fourth')
      expect(await next).toMatchObject({ event: 'fourth', attempt: 1 })
    } finally {
      await endAll()
      await driver.close()
      await proxy.close()
      client.disconnect()
    }
  })
})

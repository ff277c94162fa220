import { randomUUID } from 'node:crypto'
import type { Delivery } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'

jest.setTimeout(60_000)

needsOwn('redis', () => {
  let server: Server
  let client: Redis
  let driver: ReturnType<typeof redis>
  beforeEach(async () => {
    server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    client = new Redis(server.url)
    driver = redis(server.url, { lease: 1_000 })
    await driver.declare([{ name: 'all', on: ['*:**'] }])
  })
  afterEach(async () => {
    await driver.close()
    client.disconnect()
    await server.stop()
  })

  const isAccepted = (): Promise<boolean> => {
    const id = randomUUID()
    const event = { id, source: 'shop', type: 'a', rawType: 'a', time: 1, headers: {} }
    const how = { fingerprint: id, ttlMs: 60_000, token: id, timeoutMs: 5_000 }
    return driver.accept({ ...event, rawBody: Buffer.alloc(500_000) }, how).then(
      () => true,
      () => false,
    )
  }
  const around = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }

  test('a server that is full accepts nothing until its backlog is worked off', async () => {
    for (let nth = 0; nth < 5; nth++) expect(await isAccepted()).toBe(true)
    const used = /used_memory:(\d+)/.exec(await client.info('memory'))?.[1]
    await client.config('SET', 'maxmemory', Number(used) - 500_000)
    expect(await isAccepted()).toBe(false)
    let runs = 0
    await driver.consume('all', around, async () => {
      runs++
      return { is: 'done' }
    })
    await eventually(() => runs === 5)
    await eventually(isAccepted)
  })

  test('a server that is full ends no lease', async () => {
    await isAccepted()
    const run = await new Promise<Delivery>((resolve) => {
      void driver.consume('all', around, (delivery) => {
        resolve(delivery)
        return new Promise(() => undefined)
      })
    })
    const sessions = '{trigger-hub}:sessions'
    const [session = ''] = await client.zrange(sessions, '0', '0')
    const expiresAt = async (): Promise<number> => Number(await client.zscore(sessions, session))
    await client.config('SET', 'maxmemory', '1')
    const before = await expiresAt()
    await eventually(async () => (await expiresAt()) > before)
    expect(run.lost.aborted).toBe(false)
  })

  test('a store that is full takes in what a bot of a broker works off, and nothing new', async () => {
    await client.config('SET', 'maxmemory', '1')
    const lease = { leaseMs: 60_000, timeoutMs: 5_000 }
    const trace = { note: 'begun', keepMs: 60_000, bot: 'all' }
    const claim = await driver.claim('delivery', '', { ...lease, trace })
    if (claim.is !== 'claimed') throw new Error(claim.is)
    expect(await driver.renew(claim, 60_000)).toBe(true)
    expect(await driver.release(claim, 'failed')).toBe(true)
    await expect(driver.claim('event', '', lease)).rejects.toThrow(/full \(maxmemory\)/)
  })
})

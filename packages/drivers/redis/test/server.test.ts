import { randomUUID } from 'node:crypto'
import { SetupError, WebhookError, type Driver } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { Cluster, Redis } from 'ioredis'
import { startRedis, type RedisOptions } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'

jest.setTimeout(60_000)

needsOwn('redis', () => {
  const servers: Server[] = []
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
    await Promise.all(servers.splice(0).map((server) => server.stop()))
  })

  async function started(options: RedisOptions = {}): Promise<Server> {
    const server = await startRedis(options)
    servers.push(server)
    return server
  }
  function driverOn(...args: Parameters<typeof redis>): ReturnType<typeof redis> {
    const driver = redis(...args)
    ends.push(() => driver.close())
    return driver
  }
  function clientOf(url: string): Redis {
    const client = new Redis(url)
    ends.push(() => client.disconnect())
    return client
  }
  const accept = (
    driver: Driver,
    { key, rawBody = Buffer.from('{}') }: { key?: string; rawBody?: Buffer } = {},
  ) => {
    const id = randomUUID()
    const event = { id, source: 'shop', type: 'a', rawType: 'a', time: 1, headers: {}, rawBody }
    const keyed = key === undefined ? {} : { key }
    return driver.accept(event, {
      fingerprint: 'print',
      ttlMs: 60_000,
      token: id,
      timeoutMs: 5_000,
      ...keyed,
    })
  }
  async function startedWithReplica() {
    const primary = await started({ args: ['--repl-diskless-sync-delay', '0'] })
    const replica = await started({ args: ['--replicaof', '127.0.0.1', new URL(primary.url).port] })
    const client = clientOf(primary.url)
    await eventually(async () => {
      await client.set('written', 1)
      return (await client.wait(1, 100)) === 1
    })
    return { primary, replica }
  }
  const everything = [{ name: 'all', on: ['*:**'] }]
  const refusal = async (promise: Promise<unknown>): Promise<string> => {
    const error: unknown = await promise.catch((caught: unknown) => caught)
    if (!WebhookError.is(error)) throw new Error(`It was not refused: ${String(error)}`)
    expect([error.code, error.status, error.retryable]).toEqual(['ERR_DRIVER_UNAVAILABLE', 503, true])
    return error.message
  }

  describe('says what an accepted event survives on a server with', () => {
    it.each<[string, RedisOptions, 'disk' | 'none', string[]]>([
      ['appendfsync always', {}, 'disk', []],
      ['appendfsync everysec', { appendfsync: 'everysec' }, 'none', ['WARN_REDIS_FSYNC']],
      ['appendfsync no', { appendfsync: 'no' }, 'none', ['WARN_REDIS_FSYNC']],
      ['no append-only file', { args: ['--appendonly', 'no'] }, 'none', ['WARN_REDIS_NOT_PERSISTED']],
      [
        'eviction of any key',
        { args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] },
        'none',
        ['WARN_REDIS_EVICTION'],
      ],
      [
        'eviction of keys that expire',
        { args: ['--maxmemory', '100mb', '--maxmemory-policy', 'volatile-lru'] },
        'disk',
        ['WARN_REDIS_EVICTION'],
      ],
      [
        'hidden settings',
        { args: ['--rename-command', 'CONFIG', ''] },
        'none',
        ['WARN_REDIS_SETTINGS_HIDDEN'],
      ],
    ])('%s', async (_, options, durability, codes) => {
      const driver = driverOn((await started(options)).url)
      expect(driver.capabilities.durability).toBe('none') // nobody has looked yet
      const { summary, warnings } = await driver.inspect()
      expect(driver.capabilities.durability).toBe(durability)
      expect(warnings.map(({ code }) => code)).toEqual(codes)
      expect(summary).toMatch(/^redis: Redis \d+\.\d+\.\d+, appendonly [^\n]*\.$/)
    })

    it('replicas, which it does not wait for', async () => {
      const { primary, replica } = await startedWithReplica()
      const { warnings } = await driverOn(primary.url).inspect()
      expect(warnings.map(({ code }) => code)).toEqual(['WARN_REDIS_FAILOVER'])
      expect(await refusal(driverOn(replica.url).declare(everything))).toMatch(/replica; name the primary/)
    })
  })

  describe('refuses with 503 and the fix', () => {
    test('when the server is full, and goes on when there is room', async () => {
      const server = await started({ args: ['--maxmemory', '10mb', '--maxmemory-policy', 'noeviction'] })
      const driver = driverOn(server.url)
      await driver.declare(everything)
      let message = ''
      for (let nth = 0; message === '' && nth < 100; nth++) {
        await accept(driver, { rawBody: Buffer.alloc(500_000) }).catch(
          async (error: unknown) => (message = await refusal(Promise.reject(error as Error))),
        )
      }
      expect(message).toMatch(/full \(maxmemory\)/)
      await clientOf(server.url).config('SET', 'maxmemory', '100mb')
      expect(await accept(driver)).toMatchObject({ is: 'accepted' })
    })

    test('when nobody listens at the address', async () => {
      const from = performance.now()
      expect(await refusal(driverOn('redis://127.0.0.1:1').declare(everything))).toMatch(/nobody listens/)
      expect(performance.now() - from).toBeLessThan(3_000) // a call that waits does so for 5 s
    })

    test('when the server wants a password', async () => {
      const { url } = await started({ args: ['--requirepass', 'correct'] })
      expect(await refusal(driverOn(url).declare(everything))).toMatch(/check user and password/)
      const wrong = url.replace('//', '//:wrong@')
      const message = await refusal(driverOn(wrong).declare(everything))
      expect(message).toMatch(/check user and password/)
      expect(message).not.toContain('wrong')
    })
  })

  test('an event counts once a replica has it, and so does a repeat', async () => {
    const { primary, replica } = await startedWithReplica()
    const [one, another] = [driverOn(primary.url, { replicas: 1 }), driverOn(primary.url, { replicas: 1 })]
    await one.declare(everything)
    await another.declare(everything)
    await accept(one) // now the server knows the script
    await replica.kill('SIGSTOP')
    expect(await refusal(accept(one, { key: 'key' }))).toMatch(/fewer replicas have it/)
    expect(await refusal(accept(another, { key: 'key' }))).toMatch(/fewer replicas have it/)
    await replica.kill('SIGCONT')
    // once the replica has caught up
    const repeat = () => accept(another, { key: 'key' }).catch(() => undefined)
    expect(await eventually(repeat)).toMatchObject({ is: 'duplicate' })
    expect(one.capabilities.durability).toBe('replicated')
  })

  test('a server that comes back empty is told of the bots once more', async () => {
    const server = await started()
    const driver = driverOn(server.url, { lease: 500 })
    await driver.declare(everything)
    const seen: string[] = []
    await driver.consume(
      'all',
      { concurrency: 1, onSettled: () => undefined, onError: () => undefined },
      async ({ event }) => {
        seen.push(event.id)
        return { is: 'done' }
      },
    )
    await accept(driver)
    await eventually(() => seen.length > 0)
    await clientOf(server.url).flushall()
    const accepted = await accept(driver)
    if (accepted.is !== 'accepted') throw new Error(accepted.is)
    await eventually(() => seen.includes(accepted.id))
    expect((await driver.inspect()).bots.map(({ name }) => name)).toEqual(['all'])
  })

  test('fifty restarts in the middle of a run cost no attempt and bury nothing', async () => {
    const { url } = await started()
    await driverOn(url).declare(everything)
    await accept(driverOn(url))
    for (let nth = 0; nth < 50; nth++) {
      const driver = redis(url)
      const attempt = await new Promise<number>((resolve) => {
        const around = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }
        void driver.consume('all', around, (delivery) => {
          resolve(delivery.attempt)
          return new Promise(() => undefined) // it runs when its process is told to end
        })
      })
      expect(attempt).toBe(1)
      await driver.close()
    }
    const { bots } = await driverOn(url).inspect()
    expect(bots).toEqual([{ ...bots[0], backlog: 0, waiting: 1, running: 0, deadLetters: 0 }])
  })

  test('fifty calls at once on a connection that is not there yet wait for it together', async () => {
    const client = new Redis((await started()).url, { lazyConnect: true })
    ends.push(() => client.disconnect())
    const store = driverOn(client)
    const options = { leaseMs: 60_000, timeoutMs: 10_000 }
    const claiming = Array.from({ length: 50 }, () => store.claim('key', 'print', options))
    expect(client.listenerCount('ready')).toBeLessThan(5) // Node.js warns of a leak from eleven on
    const claims = await Promise.all(claiming)
    expect(claims.filter(({ is }) => is === 'claimed')).toHaveLength(1)
  })

  test('uses a client that it is given, and leaves it open', async () => {
    const client = clientOf((await started()).url)
    const driver = redis(client)
    await driver.declare(everything)
    expect(await accept(driver)).toMatchObject({ is: 'accepted' })
    await driver.close()
    expect(await client.ping()).toBe('PONG')
  })

  test('works on a cluster, all keys of a hub on one node', async () => {
    const server = await started({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] })
    const node = clientOf(server.url)
    await node.cluster('ADDSLOTSRANGE', 0, 16_383)
    await eventually(async () => (await node.cluster('INFO')).includes('cluster_state:ok'))
    const cluster = new Cluster([{ host: '127.0.0.1', port: Number(new URL(server.url).port) }])
    ends.push(() => cluster.disconnect())
    const driver = driverOn(cluster)
    await driver.declare(everything)
    const ran = new Promise<string>((resolve) => {
      const around = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }
      void driver.consume('all', around, async ({ event }) => {
        resolve(event.id)
        return { is: 'done' }
      })
    })
    const accepted = await accept(driver)
    expect(accepted).toEqual({ is: 'accepted', id: await ran })
    expect((await driver.inspect()).summary).toMatch(/^redis: cluster, Redis/)
  })
})

test.each<[string, () => unknown]>([
  ['a text that is no URL', () => redis('localhost:6379')],
  ['something that is no client', () => redis({} as unknown as Redis)],
  ['an option that nobody reads', () => redis('redis://h', { prefx: 'a' } as object)],
  ['a prefix that would break the hash tag', () => redis('redis://h', { prefix: 'a}b' })],
  ['a lease of an instant', () => redis('redis://h', { lease: 5 })],
  ['a part of a replica', () => redis('redis://h', { replicas: 0.5 })],
])('refuses %s when it is made', (_, make) => {
  expect(make).toThrow(SetupError)
})

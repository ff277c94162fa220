import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SetupError, type CompanionStore } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { embedded } from '@trigger-hub/embedded'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { redis } from '@trigger-hub/redis'
import { connect } from 'amqplib'
import { startRabbitMq } from '../../../../scripts/services/rabbitmq.ts'
import { freePort, type Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'
import { everything, failed, refusal, Trial } from './trial.ts'

jest.setTimeout(60_000)

needsOwn('rabbitmq', () =>
  needs('redis', (redisUrl) => {
    let server: Server
    /** One that is short of disk from the start. */
    let full: Server
    let management = ''
    let trial: Trial
    beforeAll(async () => {
      const port = await freePort()
      management = `http://guest:guest@127.0.0.1:${port}`
      const starting = startRabbitMq({ config: { 'disk_free_limit.absolute': '1000000GB' } })
      server = await startRabbitMq({
        management: port,
        config: { consumer_timeout: 1_000, collect_statistics_interval: 500 },
        hidden: { channel_tick_interval: 500, quorum_tick_interval: 500 }, // how often it looks, and tells
      })
      full = await starting
      await eventually(
        () =>
          api('overview').then(
            ({ ok }) => ok,
            () => false,
          ),
        30_000,
      )
    })
    afterAll(() => Promise.all([server.stop(), full.stop()]))
    beforeEach(() => (trial = new Trial(server.url)))
    afterEach(() => trial.end())

    function api(path: string, method = 'GET', body?: object): Promise<Response> {
      const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` }
      const url = `${management.replace('guest:guest@', '')}/api/${path}`
      return fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    }

    describe('says what an accepted event survives', () => {
      const found = async (options: Parameters<Trial['driver']>[0]) => {
        const driver = trial.driver(options)
        expect(driver.capabilities.durability).toBe('none') // nobody has looked yet
        const { summary, warnings } = await driver.inspect()
        expect(summary).toMatch(/^rabbitmq: RabbitMQ \d+\.\d+\.\d+, quorum queues[^\n]*\.$/)
        return [driver.capabilities.durability, warnings.map(({ code }) => code)]
      }
      const inRedis = (): CompanionStore => redis(redisUrl, { prefix: trial.prefix })

      test('with one member, as the management API tells', async () => {
        const store = inRedis()
        expect(await found({ store, management })).toEqual(['disk', ['WARN_RABBITMQ_SINGLE_NODE']])
      })

      test.each([
        ['no management API', undefined],
        ['one that does not answer', 'http://127.0.0.1:1'],
        ['one that refuses the user', 'http://mallory:wrong@127.0.0.1'],
      ])('with %s', async (_, address) => {
        const given = address?.replace(/127.0.0.1$/, `127.0.0.1:${new URL(management).port}`)
        const hidden = ['disk', ['WARN_RABBITMQ_SETTINGS_HIDDEN']]
        expect(await found({ store: inRedis(), management: given })).toEqual(hidden)
      })

      test('with a policy that drops messages', async () => {
        const definition = { 'message-ttl': 60_000, 'max-length': 10 }
        const policy = { pattern: `^${trial.prefix}/`, definition, 'apply-to': 'queues' }
        await trial.driver().declare(everything)
        await api('policies/%2F/short', 'PUT', policy)
        const store = inRedis()
        await eventually(async () => {
          const answer = await api(`queues/%2F/${encodeURIComponent(trial.names.bot('all'))}`)
          return ((await answer.json()) as { policy?: string }).policy === 'short'
        })
        expect(await found({ store, management })).toEqual([
          'none',
          ['WARN_RABBITMQ_SINGLE_NODE', 'WARN_RABBITMQ_POLICY'],
        ])
        await api('policies/%2F/short', 'DELETE')
      })

      test('with a store on this machine', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
        const store = embedded({ path: join(folder, 'hub.db') })
        const [durability, codes] = await found({ store, management })
        expect([durability, codes]).toEqual([
          store.capabilities.durability,
          expect.arrayContaining(['WARN_RABBITMQ_STORE_LOCAL']),
        ])
        expect(trial.driver({ store }).capabilities.reach).toBe('machine')
        await trial.end()
        rmSync(folder, { recursive: true })
      })

      test('with a store in memory', async () => {
        const [durability, codes] = await found({ store: memory(), management })
        expect(durability).toBe('none')
        expect(codes).toContain('WARN_RABBITMQ_STORE_VOLATILE')
      })
    })

    test('a queue that somebody has deleted is reported, and events for it are refused until it is there again', async () => {
      const driver = await trial.declared()
      const channel = await (await trial.client()).createChannel()
      await channel.deleteQueue(trial.names.bot('all'))
      const { warnings } = await driver.inspect()
      expect(warnings.map(({ code }) => code)).toContain('WARN_RABBITMQ_QUEUE_MISSING')
      expect(await refusal(trial.accept(driver))).toMatch(/is not there/)
      await eventually(() =>
        trial.accept(driver).then(
          ({ is }) => is === 'accepted',
          () => false,
        ),
      )
      const { runs } = await trial.work(driver)
      await eventually(() => runs.length === 1)
    })

    test('a bot whose queue is deleted while it consumes goes on with a new one', async () => {
      const driver = await trial.declared()
      const { runs } = await trial.work(driver)
      const channel = await (await trial.client()).createChannel()
      await channel.deleteQueue(trial.names.bot('all'))
      await eventually(() =>
        trial.accept(driver).then(
          ({ is }) => is === 'accepted',
          () => false,
        ),
      )
      await eventually(() => runs.length > 0)
    })

    test('a queue of the same name that was made otherwise is a mistake in the set-up', async () => {
      const channel = await (await trial.client()).createChannel()
      await channel.assertQueue(trial.names.bot('all'), { durable: true })
      const error = await trial.declared().catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(SetupError)
      expect(error).toMatchObject({ code: 'ERR_DRIVER_UNUSABLE' })
      expect(String(error)).toMatch(/made otherwise \(PRECONDITION_FAILED.*use another "prefix"/)
      await channel.deleteQueue(trial.names.bot('all'))
    })

    test('a bot that runs for longer than the server waits for an ack runs once', async () => {
      const driver = await trial.declared()
      const { runs, settled } = await trial.work(driver, async () => {
        if (settled.length > 0) return { is: 'done' }
        await eventually(() => trial.errors.length > 0)
        await eventually(async () => (await driver.inspect()).bots[0]?.backlog === 1) // it is handed out once more
        return { is: 'done' }
      })
      await trial.accept(driver)
      await eventually(() => trial.errors.length > 0)
      expect(String(trial.errors[0])).toMatch(/longer than the server's consumer_timeout/)
      await eventually(() => settled.length > 0)
      await eventually(async () =>
        (await driver.inspect()).bots.every(({ backlog, running }) => backlog + running === 0),
      )
      expect([runs.length, settled]).toEqual([1, ['settled']])
      await trial.accept(driver)
      await eventually(() => settled.length > 1)
    })

    test('what the server has given up becomes a dead letter', async () => {
      const driver = trial.driver()
      await driver.declare([...everything, { name: 'other', on: ['bank:**'] }])
      await trial.accept(driver, { id: 'doomed' })
      const channel = await (await trial.client()).createChannel()
      await channel.prefetch(1)
      await channel.consume(trial.names.bot('all'), (raw) => raw && channel.nack(raw))
      await trial.work(driver, undefined, { bot: 'other' })
      const letters = await eventually(async () => {
        const found = await driver.deadLetters.list()
        return found.length > 0 ? found : undefined
      }, 100_000) // a thousand times to the disk and back
      expect(letters.map(({ bot, reason, event }) => [bot, reason, event.id])).toEqual([
        ['all', 'exhausted', 'doomed'],
      ])
    }, 120_000)

    test('hours of waits delay neither another bot nor another delivery of the one that fails', async () => {
      const driver = trial.driver()
      await driver.declare([...everything, { name: 'other', on: ['*:**'] }])
      const bad = await trial.work(driver, (delivery) =>
        delivery.event.type === 'good' ? { is: 'done' } : failed(delivery, 3_600_000),
      )
      const other = await trial.work(driver, undefined, { bot: 'other' })
      await Promise.all(Array.from({ length: 100 }, () => trial.accept(driver)))
      await eventually(() => bad.runs.length === 100 && other.runs.length === 100)
      await trial.accept(driver, { type: 'good' })
      await eventually(() => bad.settled.length === 101 && other.settled.length === 101)
      const { bots } = await driver.inspect()
      expect(bots.map(({ name, backlog, waiting }) => [name, backlog, waiting])).toEqual([
        ['all', 0, 100],
        ['other', 0, 0],
      ])
    })

    test('fifty restarts in the middle of a run cost no attempt and bury nothing', async () => {
      await trial.accept(await trial.declared())
      for (let nth = 0; nth < 50; nth++) {
        const driver = trial.driver()
        const { runs } = await trial.work(driver, () => new Promise(() => undefined))
        const [run] = await eventually(() => (runs.length > 0 ? runs : undefined))
        expect(run?.attempt).toBe(1)
        await driver.close()
      }
      const { bots } = await trial.driver().inspect()
      expect(bots.map(({ running, deadLetters }) => [running, deadLetters])).toEqual([[0, 0]])
    })

    test('a server that is short of disk is answered for with 503, and what it says is told', async () => {
      const driver = trial.driver({ url: full.url })
      await driver.declare(everything)
      const first = await refusal(trial.accept(driver, {}, 500)) // which makes the server say so
      expect(first).toMatch(/not confirmed/)
      // it is not waited for a confirm then
      await eventually(async () =>
        (await refusal(trial.accept(driver, {}, 2_000))).includes('short of memory or disk'),
      )
      // nor is anything else that the server would not read
      expect(await refusal(driver.inspect())).toMatch(/short of memory or disk/)
      expect(await refusal(driver.declare([{ name: 'late', on: ['*:**'] }]))).toMatch(
        /short of memory or disk/,
      )
    })

    test('a connection that the user opens is used, and asked for again when it is lost', async () => {
      const opened: Awaited<ReturnType<typeof connect>>[] = []
      const driver = trial.driver({
        url: undefined,
        connect: async (socket) => {
          const connection = await connect(server.url, { ...socket })
          opened.push(connection)
          return connection
        },
      })
      await driver.declare(everything)
      expect(opened).toHaveLength(1)
      await opened[0]?.close()
      await eventually(() =>
        trial.accept(driver).then(
          ({ is }) => is === 'accepted',
          () => false,
        ),
      )
      expect(opened).toHaveLength(2)
    })
  }),
)

describe('rabbitmq()', () => {
  const store = memory()
  test.each<[string, () => unknown]>([
    ['a text that is no URL', () => rabbitmq({ url: 'localhost:5672', store })],
    ['a URL beside a connection', () => rabbitmq({ url: 'amqp://h', connect: () => connect(''), store })],
    ['an option that nobody reads', () => rabbitmq({ store, prefx: 'a' } as never)],
    ['a prefix with a slash', () => rabbitmq({ store, prefix: 'a/b' })],
    ['a lease of an instant', () => rabbitmq({ store, lease: 5 })],
  ])('refuses %s when it is made', (_, make) => {
    expect(make).toThrow(SetupError)
  })

  test('says which stores it takes when it gets none', () => {
    expect(() => rabbitmq({} as never)).toThrow(
      /give the option "store", such as redis\(url\), or embedded\(\)/,
    )
  })

  test('says that nobody listens at the address', async () => {
    const driver = rabbitmq({ url: 'amqp://127.0.0.1:1', store: memory() })
    const says =
      'The rabbitmq driver is out of reach: nobody listens at that address; start the server, or correct the URL.'
    expect(await refusal(driver.declare(everything))).toBe(says)
    expect(await refusal(new Trial('').accept(driver))).toBe(says)
    await driver.close()
  })
})

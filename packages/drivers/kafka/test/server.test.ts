import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { SetupError, systemClock, WebhookError, type Clock } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { kafka, type KafkaOptions } from '@trigger-hub/kafka'
import { Kafka, logLevel, Partitioners, type Admin, type Message } from 'kafkajs'
import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { endAll, Forked } from '../../../../test/processes/forked.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { accept, done, everything, failed, Hub, work } from './hub.ts'

jest.setTimeout(120_000)

needsOwn('kafka', () => {
  let server: Server
  let client: Kafka
  let admin: Admin
  const hubs: Hub[] = []

  beforeAll(async () => {
    server = await startKafka({
      config: {
        'group.min.session.timeout.ms': 100,
        'offsets.retention.minutes': 1, // a week where nobody has set it
        'offsets.retention.check.interval.ms': 1_000,
        'log.retention.check.interval.ms': 1_000,
      },
    })
    client = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING })
    admin = client.admin()
    await admin.connect()
    await beginAbsence()
  })
  afterAll(async () => {
    await Promise.all(hubs.map((one) => one.close()))
    await admin.disconnect()
    await server.stop()
  })

  function hub(): Hub {
    const made = new Hub(() => server.url)
    hubs.push(made)
    return made
  }

  /** All records of a topic, read as any consumer reads them. */
  async function recordsOf(topic: string) {
    const ends = await admin.fetchTopicOffsets(topic)
    let left = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
    const records: Message[] = []
    const consumer = client.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve) => {
      if (left === 0) return resolve()
      void consumer.run({
        eachMessage: async ({ message }) => {
          records.push(message)
          if (--left === 0) resolve()
        },
      })
    })
    await consumer.disconnect()
    return records
  }

  async function put(topic: string, messages: Message[]): Promise<void> {
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  // a minute has to go by before the broker forgets: the last test sees what came of it
  const away = { hub: new Hub(() => server.url), first: [] as string[], later: [] as string[] }
  async function beginAbsence(): Promise<void> {
    hubs.push(away.hub)
    const driver = away.hub.driver({ partitions: 2 })
    await driver.declare(everything('away', 'never'))
    for (let nth = 0; nth < 6; nth++) away.first.push(await accept(driver))
    const worker = await work(driver, 'away')
    await eventually(() => worker.settled.length === 6)
    await worker.drain()
    for (let nth = 0; nth < 6; nth++) away.later.push(await accept(driver))
  }

  test('any consumer can read an event: the value is the raw body, the attributes are headers', async () => {
    const one = hub()
    const driver = one.driver()
    await driver.declare(everything('mail'))
    const rawBody = randomBytes(1_000)
    const id = await accept(driver, {
      rawBody,
      ...{
        type: 'issues.opened',
        rawType: 'Issues/Opened',
        key: 'delivery-1',
        contentType: 'application/json',
      },
      headers: { 'x-shop': 'münchen' },
      marks: ['no-key'],
    })
    const [record] = await recordsOf(`${one.prefix}.events`)
    expect(record?.value).toEqual(rawBody)
    expect(String(record?.key)).toBe('delivery-1')
    expect(
      Object.fromEntries(Object.entries(record?.headers ?? {}).map(([name, value]) => [name, String(value)])),
    ).toEqual({
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: 'shop',
      ce_type: 'issues.opened',
      ce_time: '2030-01-01T00:00:00.123Z',
      'content-type': 'application/json',
      'trigger-hub-raw-type': 'Issues/Opened',
      'trigger-hub-key': 'delivery-1',
      'trigger-hub-headers': '{"x-shop":"münchen"}',
      'trigger-hub-marks': 'no-key',
    })
  })

  test('has every event that it has accepted, however many at once', async () => {
    const one = hub()
    const driver = one.driver()
    await driver.declare(everything('mail'))
    const lane = async (): Promise<string[]> => {
      const ids: string[] = []
      for (let nth = 0; nth < 50; nth++) ids.push(await accept(driver))
      return ids
    }
    const accepted = (await Promise.all(Array.from({ length: 20 }, lane))).flat()
    const records = await recordsOf(`${one.prefix}.events`)
    const read = records.map(({ headers }) => String(headers?.ce_id))
    expect(read.sort()).toEqual(accepted.sort())
  })

  test('keeps the order of what has one key', async () => {
    const driver = hub().driver()
    await driver.declare(everything('mail'))
    const keys = ['a', 'b', 'c', 'd', 'e']
    for (let nth = 0; nth < 50; nth++) {
      await accept(driver, { key: keys[nth % 5]!, rawBody: Buffer.from(String(nth)) })
    }
    const { runs } = await work(driver, 'mail')
    await eventually(() => runs.length === 50)
    for (const key of keys) {
      const order = runs.filter(({ event }) => event.key === key).map(({ event }) => Number(event.rawBody))
      expect(order).toEqual(order.toSorted((a, b) => a - b))
    }
  })

  test('shares the partitions among the processes that work for a bot, whoever comes and goes', async () => {
    const one = hub()
    const [receiver, ...drivers] = Array.from({ length: 4 }, () => one.driver())
    await receiver!.declare(everything('mail'))
    const accepted: string[] = []
    const workers: Awaited<ReturnType<typeof work>>[] = []
    for (const driver of drivers) {
      workers.push(await work(driver, 'mail', () => done, 5))
      for (let nth = 0; nth < 40; nth++) accepted.push(await accept(receiver!))
    }
    await workers[0]!.drain()
    for (let nth = 0; nth < 40; nth++) accepted.push(await accept(receiver!))
    const runs = () => workers.flatMap((worker) => worker.runs)
    await eventually(() => runs().length >= accepted.length)
    await eventually(async () => (await receiver!.inspect()).bots[0]?.backlog === 0)
    expect(
      runs()
        .map(({ event }) => event.id)
        .sort(),
    ).toEqual(accepted.sort())
    expect(runs().filter(({ attempt, redelivered }) => attempt > 1 || redelivered)).toEqual([])
    expect(workers.flatMap(({ errors }) => errors)).toEqual([])
  })

  test('fifty restarts in the middle of a run cost no attempt and bury nothing', async () => {
    const one = hub()
    const first = one.driver()
    await first.declare(everything('mail'))
    await accept(first)
    for (let nth = 0; nth < 50; nth++) {
      const driver = one.driver()
      const attempt = await new Promise<number>((resolve) => {
        void work(driver, 'mail', (delivery) => {
          resolve(delivery.attempt)
          return new Promise(() => undefined) // it runs when its process is told to end
        })
      })
      expect(attempt).toBe(1)
      await driver.close()
    }
    const { bots } = await first.inspect()
    expect(bots).toMatchObject([{ backlog: 0, waiting: 1, running: 0, deadLetters: 0 }])
  })

  test('what fails for hours holds up neither another bot nor other deliveries of its own', async () => {
    const driver = hub().driver()
    await driver.declare(everything('mail', 'stock'))
    const from = performance.now()
    const accepted: string[] = []
    for (let nth = 0; nth < 100; nth++)
      accepted.push(await accept(driver, { rawBody: Buffer.from(String(nth)) }))
    const mail = await work(driver, 'mail', ({ event, attempt }) =>
      Number(event.rawBody) % 2 === 0 ? { is: 'retry', afterMs: 3_600_000, failed: failed(attempt) } : done,
    )
    const stock = await work(driver, 'stock')
    await eventually(() => stock.settled.length === 100 && mail.settled.length === 100)
    expect(performance.now() - from).toBeLessThan(20_000)
    const { bots } = await driver.inspect()
    expect(bots.map(({ name, backlog, waiting, running }) => ({ name, backlog, waiting, running }))).toEqual([
      { name: 'mail', backlog: 0, waiting: 50, running: 0 },
      { name: 'stock', backlog: 0, waiting: 0, running: 0 },
    ])
    await accept(driver, { rawBody: Buffer.from('1') })
    await eventually(() => mail.runs.length === 101, 2_000)
  })

  test('composes a wait of several parts, never too short and at most a quarter of a second too long', async () => {
    const driver = hub().driver()
    await driver.declare(everything('mail'))
    const starts = new Map<string, number[]>()
    const waits = [1_750, 300, 1]
    const { settled } = await work(
      driver,
      'mail',
      ({ event, attempt }) => {
        starts.set(event.id, [...(starts.get(event.id) ?? []), Date.now()])
        const afterMs = waits[attempt - 1]
        return afterMs === undefined ? done : { is: 'retry', afterMs, failed: failed(attempt) }
      },
      5,
    )
    for (let nth = 0; nth < 5; nth++) {
      await accept(driver)
      await wait(200)
    }
    await eventually(() => settled.length === 20, 60_000)
    for (const [nth, afterMs] of waits.entries()) {
      const waited = Math.min(...[...starts.values()].map((all) => all[nth + 1]! - all[nth]!))
      expect(waited).toBeGreaterThanOrEqual(afterMs)
      expect(waited).toBeLessThan(afterMs + 250 + 1_000) // of a machine that has other things to do
    }
  })

  test('does not forget what becomes due in the very moment in which it is looked for', async () => {
    let calls = 0
    const early = (ms: number, task: () => void) => systemClock.after(Math.max(0, ms - 2), task)
    const restless: Clock = { ...systemClock, now: () => Date.now() + (calls++ % 4), after: early }
    const driver = hub().driver({ clock: restless })
    await driver.declare(everything('mail'))
    await accept(driver)
    const { settled } = await work(driver, 'mail', () =>
      settled.length < 20 ? { is: 'release', interrupted: false } : done,
    )
    await eventually(() => settled.length === 21)
  })

  test('an event that kills its process each time costs attempts and stops nobody', async () => {
    const one = hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('mail'))
    const ids: string[] = []
    for (const text of ['a', 'poison', 'b', 'c'])
      ids.push(await accept(driver, { rawBody: Buffer.from(text) }))
    const [, poison] = ids
    const log = join(tmpdir(), `trigger-hub-${one.prefix}.log`)
    writeFileSync(log, '')
    const options = { brokers: server.url, prefix: one.prefix, log }
    for (let deaths = 0; deaths < 3; deaths++) {
      const child = new Forked(join(__dirname, 'poisoned.ts'), options)
      await child.start().catch(() => undefined) // it may be dead before it says that it is up
      expect((await child.exited).signal).toBe('SIGKILL')
    }
    await new Forked(join(__dirname, 'poisoned.ts'), options).start()
    const letters = await eventually(async () => {
      const found = await driver.deadLetters.list()
      return found.length > 0 ? found : undefined
    })
    expect(letters.map(({ event, attempts }) => [event.id, attempts.map(({ outcome }) => outcome)])).toEqual([
      [poison, ['lost', 'lost', 'lost']],
    ])
    // a neighbour that ran at a kill may run twice
    const handled = () => [...new Set(readFileSync(log, 'utf8').trim().split('\n'))].sort()
    await eventually(() => handled().length === 3)
    expect(handled()).toEqual(ids.filter((id) => id !== poison).sort())
    await endAll()
  })

  test('passes over what others have written into its topics', async () => {
    const one = hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('mail'))
    await put(`${one.prefix}.events`, [
      { value: 'no event' },
      { value: null },
      { value: 'x', headers: { ce_id: '1' } },
    ])
    const id = await accept(driver)
    const { runs } = await work(driver, 'mail')
    await eventually(() => runs.length > 0)
    expect(runs.map(({ event }) => event.id)).toEqual([id])
    await eventually(async () => (await driver.inspect()).bots[0]?.backlog === 0)
  })

  test('frees what every bot has behind it, and nothing else', async () => {
    const one = hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('fast', 'slow'))
    for (let nth = 0; nth < 10; nth++) await accept(driver)
    const fast = await work(driver, 'fast')
    const slow = await work(driver, 'slow', (delivery) =>
      slow.runs.length <= 4 ? done : new Promise<never>(() => delivery),
    )
    await eventually(() => fast.settled.length === 10 && slow.settled.length === 4)
    await driver.inspect() // which commits what has an end
    const soon: Clock = {
      ...systemClock,
      after: (ms, task) => systemClock.after(ms > 20_000 ? 10 : ms, task),
    }
    await one.driver({ clock: soon }).declare([])
    const low = async () => Number((await admin.fetchTopicOffsets(`${one.prefix}.events`))[0]?.low)
    await eventually(async () => (await low()) > 0)
    expect(await low()).toBe(4)
  })

  test('gives nothing away by time', async () => {
    const one = hub()
    await one.driver().declare(everything('mail'))
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(one.prefix))
    const { resources } = await admin.describeConfigs({
      resources: topics.map((name) => ({ type: 2, name, configNames: ['retention.ms', 'retention.bytes'] })),
      includeSynonyms: false,
    })
    const keeps = (topic: string) =>
      Object.fromEntries(
        resources
          .find(({ resourceName }) => resourceName.endsWith(topic))!
          .configEntries.map(({ configName, configValue }) => [configName, configValue]),
      )
    expect(topics).toHaveLength(3)
    expect(keeps('.events')).toEqual({ 'retention.ms': '-1', 'retention.bytes': '-1' })
    expect(keeps('.retries')).toEqual({ 'retention.ms': '-1', 'retention.bytes': '-1' })
    expect(keeps('.unmatched')).toEqual({ 'retention.ms': '86400000', 'retention.bytes': '67108864' })
  })

  describe('says what an accepted event survives with', () => {
    test.each<[string, Record<string, string>, string, string[]]>([
      ['the topics that it makes itself', {}, 'disk', []],
      ['a topic that is not flushed', { 'retention.ms': '-1' }, 'none', ['WARN_KAFKA_FSYNC']],
      [
        'a topic with a time to live',
        { 'flush.messages': '1', 'retention.ms': '1000' },
        'disk',
        ['WARN_KAFKA_RETENTION'],
      ],
      [
        'leaders that lag behind',
        { 'flush.messages': '1', 'retention.ms': '-1', 'unclean.leader.election.enable': 'true' },
        'disk',
        ['WARN_KAFKA_UNCLEAN_ELECTION'],
      ],
    ])('%s', async (_, settings, durability, codes) => {
      const one = hub()
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
      if (configEntries.length > 0) {
        await admin.createTopics({
          topics: [{ topic: `${one.prefix}.events`, numPartitions: 1, configEntries }],
        })
      }
      const driver = one.driver()
      expect(driver.capabilities.durability).toBe('none') // nobody has looked yet
      const { summary, warnings } = await driver.inspect()
      expect([driver.capabilities.durability, driver.capabilities.reach]).toEqual([durability, 'machine'])
      expect(warnings.map(({ code }) => code).sort()).toEqual(
        ['WARN_KAFKA_REPLICATION', 'WARN_KAFKA_STORE_LOCAL', ...codes].sort(),
      )
      expect(summary).toMatch(/^kafka: 1 broker, 1 copy, [^\n]*\.$/)
    })

    test('the largest event that its topic takes', async () => {
      const one = hub()
      const topic = `${one.prefix}.events`
      const configEntries = [{ name: 'max.message.bytes', value: '200000' }]
      await admin.createTopics({ topics: [{ topic, configEntries }] })
      const driver = one.driver()
      await driver.declare(everything('mail'))
      const { maxEventBytes } = driver.capabilities
      expect(maxEventBytes).toBe(200_000 - 65_536)
      await accept(driver, { rawBody: randomBytes(maxEventBytes) })
      const larger = accept(driver, { rawBody: randomBytes(300_000) })
      await expect(larger).rejects.toThrow(/larger than max.message.bytes/)
    })
  })

  test('uses a client that it is given', async () => {
    const driver = hub().driver({ client })
    await driver.declare(everything('mail'))
    const id = await accept(driver)
    const { runs } = await work(driver, 'mail')
    await eventually(() => runs.length === 1)
    expect(runs[0]?.event.id).toBe(id)
    await driver.close()
    expect(await admin.listTopics()).toContain(`${hubs.at(-1)?.prefix}.events`)
  })

  test('refuses with 503 and the fix when nobody listens at the address', async () => {
    const driver = kafka({ brokers: '127.0.0.1:1', store: memory() })
    const error: unknown = await driver.declare(everything('mail')).catch((caught: unknown) => caught)
    expect(WebhookError.is(error) && [error.code, error.status, error.retryable]).toEqual([
      'ERR_DRIVER_UNAVAILABLE',
      503,
      true,
    ])
    expect(String(error)).toMatch(/nobody listens/)
    await driver.close()
  })

  test('a worker that was away for longer than the broker keeps offsets loses nothing and begins nothing anew', async () => {
    const driver = away.hub.driver()
    const group = async () =>
      (await admin.listGroups()).groups.some(({ groupId }) => groupId.includes(`${away.hub.prefix}.away`))
    await eventually(async () => !(await group()), 90_000)
    const { bots } = await driver.inspect()
    expect(bots.map(({ name, backlog }) => [name, backlog])).toEqual([
      ['away', 6],
      ['never', 12],
    ])
    const worker = await work(driver, 'away')
    const never = await work(driver, 'never')
    await eventually(() => worker.settled.length === 6 && never.settled.length === 12)
    await wait(200)
    expect(worker.runs.map(({ event }) => event.id).sort()).toEqual(away.later.sort())
    expect(never.runs.map(({ event }) => event.id).sort()).toEqual([...away.first, ...away.later].sort())
  })
})

test.each<[string, object]>([
  ['without a store', { brokers: 'h:9092' }],
  ['with a store that cannot stand beside a broker', { brokers: 'h:9092', store: {} }],
  ['without brokers', { store: memory() }],
  ['with a URL for a broker', { store: memory(), brokers: 'kafka://h:9092' }],
  ['with something that is no client', { store: memory(), client: {} }],
  ['with an option that nobody reads', { store: memory(), brokers: 'h:9092', prefx: 'a' }],
  ['with a prefix that no topic can have', { store: memory(), brokers: 'h:9092', prefix: 'a/b' }],
  ['with half a partition', { store: memory(), brokers: 'h:9092', partitions: 0.5 }],
  ['with a lease of an instant', { store: memory(), brokers: 'h:9092', lease: 5 }],
])('refuses to be made %s', (_, options) => {
  expect(() => kafka(options as KafkaOptions)).toThrow(SetupError)
})

test('says how to get a store', () => {
  expect(() => kafka({ brokers: 'h:9092' } as KafkaOptions)).toThrow(/store: redis\(url\)/)
})

import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock, type Clock } from '@trigger-hub/core'
import { eventually } from '../../../../test/eventually.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { Broker } from './broker.ts'
import { accept, done, everything, failed, work, type Hub } from './hub.ts'

jest.setTimeout(120_000)

needsOwn('kafka', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await Broker.start({
      'offsets.retention.minutes': 1, // a week where nobody has set it
      'offsets.retention.check.interval.ms': 1_000,
      'log.retention.check.interval.ms': 1_000,
    })
    await beginAbsence()
  })
  afterAll(() => broker.stop())

  // a minute has to go by before the broker forgets: the last test sees what came of it
  const away = { first: [] as string[], later: [] as string[] }
  let awayHub: Hub
  async function beginAbsence(): Promise<void> {
    awayHub = broker.hub()
    const driver = awayHub.driver({ partitions: 2 })
    await driver.declare(everything('away', 'never'))
    for (let nth = 0; nth < 6; nth++) away.first.push(await accept(driver))
    const worker = await work(driver, 'away')
    await eventually(() => worker.settled.length === 6)
    await worker.drain()
    for (let nth = 0; nth < 6; nth++) away.later.push(await accept(driver))
  }

  test('any consumer can read an event: the value is the raw body, the attributes are headers', async () => {
    const one = broker.hub()
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
    const [record] = await broker.recordsOf(`${one.prefix}.events`)
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
    const one = broker.hub()
    const driver = one.driver()
    await driver.declare(everything('mail'))
    const lane = async (): Promise<string[]> => {
      const ids: string[] = []
      for (let nth = 0; nth < 50; nth++) ids.push(await accept(driver))
      return ids
    }
    const accepted = (await Promise.all(Array.from({ length: 20 }, lane))).flat()
    const records = await broker.recordsOf(`${one.prefix}.events`)
    const read = records.map(({ headers }) => String(headers?.ce_id))
    expect(read.sort()).toEqual(accepted.sort())
  })

  test('passes over what others have written into its topics', async () => {
    const one = broker.hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('mail'))
    await broker.put(`${one.prefix}.events`, [
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

  test('runs what others have written as an event, with as much of it as can be read', async () => {
    const one = broker.hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('mail'))
    const headers = { ce_source: 'shop', ce_type: 'a', 'trigger-hub-headers': 'no JSON' }
    await broker.put(`${one.prefix}.events`, [
      { value: '{}', headers: { ...headers, ce_id: 'foreign', ce_time: 'yesterday' } },
    ])
    const { runs } = await work(driver, 'mail', ({ attempt }) =>
      attempt > 1 ? done : { is: 'retry', afterMs: 10, failed: failed(attempt) },
    )
    const [, again] = await eventually(() => runs.length > 1 && runs)
    expect(again?.event).toMatchObject({ id: 'foreign', time: 0, headers: {} })
    await eventually(async () => (await driver.inspect()).bots[0]?.backlog === 0)
  })

  test('events in a topic that was made anew come to every bot, however far it was in the old one', async () => {
    const one = broker.hub()
    const topic = `${one.prefix}.events`
    const before = one.driver({ partitions: 1 })
    await before.declare(everything('old'))
    for (let nth = 0; nth < 5; nth++) await accept(before)
    await before.declare(everything('late')) // behind them
    const worker = await work(before, 'old')
    await eventually(() => worker.settled.length === 5)
    await worker.drain()
    await broker.admin.deleteTopics({ topics: [topic] })
    await eventually(async () => !(await broker.admin.listTopics()).includes(topic))

    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('old', 'late'))
    await driver.inspect() // as a hub that starts
    for (let nth = 0; nth < 10; nth++) await accept(driver)
    const workers = [await work(driver, 'old'), await work(driver, 'late')]
    await eventually(() => workers.every(({ settled }) => settled.length === 10))
  })

  test('frees what every bot has behind it, and nothing else', async () => {
    const one = broker.hub()
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
    const low = async () => Number((await broker.admin.fetchTopicOffsets(`${one.prefix}.events`))[0]?.low)
    await eventually(async () => (await low()) > 0)
    expect(await low()).toBe(4)
  })

  test('gives nothing away by time', async () => {
    const one = broker.hub()
    await one.driver().declare(everything('mail'))
    const topics = (await broker.admin.listTopics()).filter((topic) => topic.startsWith(one.prefix))
    const { resources } = await broker.admin.describeConfigs({
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
      const one = broker.hub()
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
      if (configEntries.length > 0) {
        await broker.admin.createTopics({
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
      const one = broker.hub()
      const topic = `${one.prefix}.events`
      const configEntries = [{ name: 'max.message.bytes', value: '200000' }]
      await broker.admin.createTopics({ topics: [{ topic, configEntries }] })
      const driver = one.driver()
      await driver.declare(everything('mail'))
      const { maxEventBytes } = driver.capabilities
      expect(maxEventBytes).toBe(200_000 - 65_536)
      await accept(driver, { rawBody: randomBytes(maxEventBytes) })
      const larger = accept(driver, { rawBody: randomBytes(300_000) })
      const others = [accept(driver), accept(driver)] // which are written with it
      await expect(larger).rejects.toThrow(/larger than max.message.bytes/)
      await Promise.all(others)
    })
  })

  test('a worker that was away for longer than the broker keeps offsets loses nothing and begins nothing anew', async () => {
    const driver = awayHub.driver()
    const group = async () =>
      (await broker.admin.listGroups()).groups.some(({ groupId }) =>
        groupId.includes(`${awayHub.prefix}.away`),
      )
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

import { Kafka, logLevel, type ConsumerConfig } from 'kafkajs'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { accept, everything, Hub } from './hub.ts'

jest.setTimeout(120_000)

needs('kafka', (brokers) => {
  const hub = new Hub(() => brokers)
  afterAll(() => hub.close())

  test('a bot that two processes retire at once becomes dead letters, and both go on', async () => {
    const one = hub.driver()
    const other = hub.driver()
    await one.declare(everything('mail'))
    await other.declare(everything('mail'))
    const ids = await Promise.all(Array.from({ length: 20 }, () => accept(one)))
    await Promise.all([one.retire('mail'), other.retire('mail')])
    expect(await one.deadLetters.list({ reason: 'retired' })).toHaveLength(ids.length)
    expect((await one.inspect()).bots).toEqual([])
  })

  test('a retirement goes on when its connection has failed', async () => {
    const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
    let failures = 0
    const failing = Object.create(client, {
      consumer: {
        value(config: ConsumerConfig) {
          const consumer = client.consumer(config)
          if (failures++ > 0) return consumer
          return Object.assign(consumer, { connect: () => Promise.reject(new Error('ECONNREFUSED')) })
        },
      },
    }) as Kafka
    const driver = hub.driver({ client: failing })
    await driver.declare(everything('post'))
    await accept(driver)
    await driver.retire('post')
    expect(await driver.deadLetters.list({ bot: 'post' })).toHaveLength(1)
  })

  test('a retirement that was broken off before the topic of the bot was gone is finished by the next one', async () => {
    const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
    const admin = client.admin()
    await admin.connect()
    const broken = Object.create(client, {
      admin: {
        value: () =>
          Object.assign(client.admin(), { deleteTopics: () => Promise.reject(new Error('it was killed')) }),
      },
    }) as Kafka
    const topics = async (): Promise<string[]> =>
      (await admin.listTopics()).filter((topic) => topic.startsWith(`${hub.prefix}.print.`))
    try {
      const one = hub.driver({ client: broken })
      await one.declare(everything('print'))
      await accept(one)
      await expect(one.retire('print')).rejects.toThrow()
      expect(await topics()).toHaveLength(1)
      const other = hub.driver()
      await other.retire('print')
      expect(await other.deadLetters.list({ bot: 'print' })).toHaveLength(1)
      await eventually(async () => (await topics()).length === 0)
    } finally {
      await admin.disconnect()
    }
  })
})

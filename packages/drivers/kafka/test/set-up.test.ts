import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { SetupError, WebhookError } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { kafka, type KafkaOptions } from '@trigger-hub/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { accept, everything, Hub, work } from './hub.ts'

needs('kafka', (url) => {
  test('uses a client that it is given', async () => {
    const client = new Kafka({ brokers: [url], logLevel: logLevel.NOTHING })
    const hub = new Hub(() => url)
    const driver = hub.driver({ client })
    await driver.declare(everything('mail'))
    const id = await accept(driver)
    const { runs } = await work(driver, 'mail')
    await eventually(() => runs.length === 1)
    expect(runs[0]?.event.id).toBe(id)
    await hub.close()
    const admin = client.admin()
    await admin.connect()
    expect(await admin.listTopics()).toContain(`${hub.prefix}.events`)
    await admin.disconnect()
  }, 60_000)

  test('passes over a broker that stands still: the next one is asked', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const hub = new Hub(() => `127.0.0.1:${(silent.address() as AddressInfo).port},${url}`)
    await hub.driver({ brokers: url }).declare(everything('mail'))
    const [accepting, consuming] = [hub.driver(), hub.driver()]
    const isAccepted = () =>
      accept(accepting).then(
        () => true,
        () => false,
      )
    const [{ runs }] = await Promise.all([
      work(consuming, 'mail'),
      hub.driver().declare(everything('mail')),
      eventually(isAccepted),
    ])
    await eventually(() => runs.length > 0)
    await hub.close()
    silent.close()
  }, 60_000)

  test.each<[string, Partial<KafkaOptions>, RegExp]>([
    ['TLS', { ssl: true }, /over TLS; check "ssl"/],
    [
      'a password',
      { sasl: { mechanism: 'plain', username: 'hub', password: 'a-password' } },
      /check "sasl" and "ssl"/,
    ],
  ])(
    'says what to check where a broker does not take %s',
    async (_, options, fix) => {
      const hub = new Hub(() => url)
      const error: unknown = await hub
        .driver(options)
        .declare(everything('mail'))
        .catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE', status: 503 })
      expect(String(error)).toMatch(fix)
      expect(String(error)).not.toContain('a-password')
      await hub.close()
    },
    60_000,
  )
})

test('refuses with 503 and the fix when nobody listens at the address', async () => {
  const driver = kafka({ brokers: '127.0.0.1:1', store: memory() })
  const error: unknown = await driver.declare(everything('mail')).catch((caught: unknown) => caught)
  expect(WebhookError.is(error) && [error.code, error.status, error.retryable]).toEqual([
    'ERR_DRIVER_UNAVAILABLE',
    503,
    true,
  ])
  const message =
    'The kafka driver is out of reach: nobody listens at that address; start the broker, or correct "brokers".'
  expect(error).toMatchObject({ message })
  await expect(accept(driver)).rejects.toMatchObject({ message })
  await driver.close()
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

import { systemClock } from '@trigger-hub/core'
import type { Client } from '../src/client.ts'
import { Publisher } from '../src/publisher.ts'
import type { Topics } from '../src/topics.ts'
import { anEvent } from './hub.ts'

/** Whose broker answers one try after the other so; undefined: it has it. */
function publisher(...answers: (string | undefined)[]) {
  const producer = {
    events: { REQUEST_TIMEOUT: 'timeout' },
    on: () => undefined,
    connect: async () => undefined,
    sendBatch: async () => {
      const type = answers.shift()
      if (type !== undefined) throw Object.assign(new Error(type), { type, name: type })
    },
  }
  const line = { kafka: { producer: () => producer }, cut: () => undefined }
  const client = { line: () => line } as unknown as Client
  return new Publisher(
    client,
    { events: 'events', retries: () => 'retries' } as unknown as Topics,
    systemClock,
  )
}

/** What becomes of an event. */
const published = (...answers: (string | undefined)[]) => publisher(...answers).event(anEvent(), false)

/** What becomes of an event that is redriven. */
const redriven = (...answers: (string | undefined)[]) =>
  publisher(...answers).again({ name: 'mail', id: '1' }, anEvent(), 'letter')

test('an event that the broker refuses at once is refused', async () => {
  expect(await published('MESSAGE_TOO_LARGE')).toMatchObject({ is: 'refused' })
})

test('an event that a try may have stored is not called refused', async () => {
  await expect(published('NOT_ENOUGH_REPLICAS')).rejects.toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
  await expect(published('NOT_LEADER_FOR_PARTITION', 'MESSAGE_TOO_LARGE')).rejects.toThrow()
})

test('a broker that has no leader yet is asked again', async () => {
  expect(await published('LEADER_NOT_AVAILABLE', undefined)).toEqual({ is: 'published' })
})

test('a dead letter is published again until the broker has it, and what the broker refuses is refused', async () => {
  await redriven('KafkaJSConnectionError', 'KafkaJSRequestTimeoutError', undefined)
  await expect(redriven('KafkaJSConnectionError', 'TOPIC_AUTHORIZATION_FAILED')).rejects.toMatchObject({
    code: 'ERR_DRIVER_UNAVAILABLE',
  })
})

import { systemClock } from '@trigger-hub/core'
import type { Client } from '../src/client.ts'
import { Publisher } from '../src/publisher.ts'
import type { Topics } from '../src/topics.ts'
import { anEvent } from './hub.ts'

/** What becomes of an event when the broker answers one try after the other so; undefined: it has it. */
function published(...answers: (string | undefined)[]) {
  const producer = {
    events: { REQUEST_TIMEOUT: 'timeout' },
    on: () => undefined,
    connect: async () => undefined,
    sendBatch: async () => {
      const type = answers.shift()
      if (type !== undefined) throw Object.assign(new Error(type), { type })
    },
  }
  const line = { kafka: { producer: () => producer }, cut: () => undefined }
  const client = { line: () => line } as unknown as Client
  return new Publisher(client, { events: 'events' } as Topics, systemClock).event(anEvent(), false)
}

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

import { randomUUID } from 'node:crypto'
import { fingerprint, type AcceptOptions, type EventRecord } from '@trigger-hub/core'

export const anEvent = (given: Partial<EventRecord> = {}): EventRecord => ({
  id: randomUUID(),
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: Date.now(),
  contentType: 'application/json',
  headers: { 'x-topic': 'orders/create' },
  rawBody: Buffer.from(JSON.stringify({ order: randomUUID() })),
  ...given,
})

export const acceptOptions = (event: EventRecord, given: Partial<AcceptOptions> = {}): AcceptOptions => ({
  key: `key-${event.id}`,
  fingerprint: fingerprint(event.rawBody),
  ttlMs: 86_400_000,
  token: event.id,
  timeoutMs: 5_000,
  ...given,
})

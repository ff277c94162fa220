import type { EventRecord, Mark } from '@trigger-hub/core'
import type { IHeaders, KafkaMessage } from 'kafkajs'

/** A record of a topic, as far as it carries an event. */
export interface EventMessage {
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
}

/** Ours beside the attributes of CloudEvents. */
const own = {
  rawType: 'trigger-hub-raw-type',
  key: 'trigger-hub-key',
  headers: 'trigger-hub-headers',
  marks: 'trigger-hub-marks',
} as const

/** What a record is told beside its event. */
export const generationHeader = 'trigger-hub-generation'
export const dueHeader = 'trigger-hub-due'

/**
 * The event as a record that every consumer can read: the raw body is the value, the attributes are headers.
 * @see CloudEvents 1.0, Kafka Protocol Binding, "Binary Content Mode"
 */
export function messageOf(event: EventRecord): EventMessage {
  const { id, source, type, rawType, time, key, contentType, headers, rawBody, marks = [] } = event
  return {
    key: key ?? id,
    value: rawBody,
    headers: {
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: source,
      ce_type: type,
      ce_time: new Date(time).toISOString(),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      [own.rawType]: rawType,
      ...(key === undefined ? {} : { [own.key]: key }),
      [own.headers]: JSON.stringify(headers),
      ...(marks.length === 0 ? {} : { [own.marks]: marks.join(' ') }),
    },
  }
}

/** @returns undefined for a record that is no event; of one that somebody else has written, as much as it tells */
export function eventOf({
  value,
  headers = {},
}: Pick<KafkaMessage, 'value' | 'headers'>): EventRecord | undefined {
  const of = (name: string): string | undefined => headerOf(headers, name)
  const [id, source, type, time] = [of('ce_id'), of('ce_source'), of('ce_type'), of('ce_time')]
  if (id === undefined || source === undefined || type === undefined || time === undefined) return undefined
  const [key, contentType, marks] = [of(own.key), of('content-type'), of(own.marks)]
  return {
    ...{ id, source, type },
    rawType: of(own.rawType) ?? type,
    time: Date.parse(time) || 0,
    ...(key === undefined ? {} : { key }),
    ...(contentType === undefined ? {} : { contentType }),
    headers: parsed(of(own.headers)),
    rawBody: value ?? Buffer.alloc(0),
    ...(marks === undefined ? {} : { marks: marks.split(' ') as Mark[] }),
  }
}

function parsed(json = '{}'): Record<string, string> {
  try {
    return JSON.parse(json) as Record<string, string>
  } catch {
    return {} // somebody else's
  }
}

export function headerOf(headers: IHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined ? undefined : String(Array.isArray(value) ? value[0] : value)
}

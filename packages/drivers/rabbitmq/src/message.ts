import { fingerprint, type EventRecord, type Mark } from '@trigger-hub/core'
import type { ConsumeMessage, GetMessage, Options } from 'amqplib'

/** An event on its way: the raw body as it is, everything else beside it. */
export interface Envelope {
  readonly body: Buffer
  readonly properties: Options.Publish
}

/** What a message says beside its event. */
export interface Told {
  /** The id of the dead letter that was redriven; empty otherwise. */
  readonly generation: string
  /** Not to be run before, epoch milliseconds. */
  readonly dueAt: number
}

/** Where a message waits. */
export interface Wait {
  /** Whose delivery it is. */
  readonly bot: string
  /** When it is to go to the next queue, epoch milliseconds. */
  readonly leavesAt: number
}

export type Received = ConsumeMessage | GetMessage

const attribute = (name: string): string => `cloudEvents:${name}`
const ours = {
  headers: 'trigger-hub-headers',
  generation: 'trigger-hub-generation',
  dueAt: 'trigger-hub-due',
  bot: 'trigger-hub-bot',
  leavesAt: 'trigger-hub-leaves',
}
const longestProperty = 255

/**
 * An event as a message in the binary mode of the CloudEvents binding, which anybody can read.
 * @see CloudEvents 1.0.2, "AMQP Protocol Binding"
 */
export function envelopeOf(event: EventRecord, told: Partial<Told> = {}, wait?: Wait): Envelope {
  const { id, source, type, rawType, time, key, contentType, headers, rawBody, marks } = event
  const fits = contentType !== undefined && Buffer.byteLength(contentType) <= longestProperty
  return {
    body: rawBody,
    properties: {
      persistent: true,
      mandatory: true,
      messageId: id,
      ...(fits ? { contentType } : {}),
      headers: {
        [attribute('specversion')]: '1.0',
        [attribute('id')]: id,
        [attribute('source')]: source,
        [attribute('type')]: type,
        [attribute('time')]: new Date(time).toISOString(),
        [attribute('rawtype')]: rawType,
        ...(key === undefined ? {} : { [attribute('key')]: key }),
        ...(marks ? { [attribute('marks')]: marks.join(' ') } : {}),
        ...(contentType === undefined || fits ? {} : { [attribute('datacontenttype')]: contentType }),
        [ours.headers]: JSON.stringify(headers),
        ...(told.generation ? { [ours.generation]: told.generation } : {}),
        ...(told.dueAt ? { [ours.dueAt]: told.dueAt } : {}),
        ...(wait ? { [ours.bot]: wait.bot, [ours.leavesAt]: wait.leavesAt } : {}),
      },
    },
  }
}

/** The event of a message. Of one that is not ours, as much as it tells. */
export function eventOf({ content, properties, fields }: Received): EventRecord {
  const all = (properties.headers ?? {}) as Record<string, unknown>
  const text = (name: string): string | undefined => {
    const value = all[name]
    return typeof value === 'string' ? value : undefined
  }
  const [bySource = '', ...byType] = fields.routingKey.split('.')
  const type = text(attribute('type')) ?? byType.join('.')
  const contentType = (properties.contentType as string | undefined) ?? text(attribute('datacontenttype'))
  const key = text(attribute('key'))
  const marks = text(attribute('marks'))
  return {
    id: text(attribute('id')) ?? (properties.messageId as string | undefined) ?? fingerprint(content),
    source: text(attribute('source')) ?? bySource,
    type,
    rawType: text(attribute('rawtype')) ?? type,
    time: Date.parse(text(attribute('time')) ?? '') || 0,
    headers: parsed(text(ours.headers)),
    rawBody: content,
    ...(key === undefined ? {} : { key }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(marks === undefined ? {} : { marks: marks.split(' ').filter(Boolean) as Mark[] }),
  }
}

export function waitOf(message: Received): Wait {
  const { [ours.bot]: bot, [ours.leavesAt]: leavesAt } = headersOf(message)
  return { bot: typeof bot === 'string' ? bot : '', leavesAt: Number(leavesAt ?? 0) }
}

export function toldBy(message: Received): Told {
  const { [ours.generation]: generation, [ours.dueAt]: dueAt } = headersOf(message)
  return { generation: typeof generation === 'string' ? generation : '', dueAt: Number(dueAt ?? 0) }
}

const headersOf = ({ properties }: Received): Record<string, unknown> => properties.headers ?? {}

function parsed(json = '{}'): Record<string, string> {
  try {
    return JSON.parse(json) as Record<string, string>
  } catch {
    return {} // somebody else's
  }
}

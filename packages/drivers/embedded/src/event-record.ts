import type { AttemptRecord, DeadLetter, EventRecord, Mark } from '@trigger-hub/core'
import type { DeadLetterRow } from './operations/dead-letters.ts'
import type { EventArgs, EventRow } from './operations/event-row.ts'

/** The event of a row. */
export const eventOf = (row: EventRow): EventRecord => ({
  id: row.id,
  source: row.source,
  type: row.type,
  rawType: row.raw_type,
  time: row.time,
  ...(row.key === null ? {} : { key: row.key }),
  ...(row.content_type === null ? {} : { contentType: row.content_type }),
  headers: JSON.parse(row.headers) as Record<string, string>,
  rawBody: bufferOf(row.body),
  ...(row.marks === null ? {} : { marks: JSON.parse(row.marks) as Mark[] }),
})

/** An event in values that SQLite stores. */
export const argsOf = (event: EventRecord): EventArgs => ({
  id: event.id,
  source: event.source,
  type: event.type,
  rawType: event.rawType,
  time: event.time,
  senderKey: event.key ?? null,
  contentType: event.contentType ?? null,
  headers: JSON.stringify(event.headers),
  marks: event.marks ?? [],
  body: event.rawBody,
})

export const attemptsOf = (history: string | null): AttemptRecord[] =>
  history === null ? [] : (JSON.parse(history) as AttemptRecord[])

export const deadLetterOf = (row: DeadLetterRow): DeadLetter => ({
  id: String(row.dead),
  bot: row.bot,
  reason: row.reason,
  at: row.at,
  event: eventOf(row),
  attempts: attemptsOf(row.history),
})

/** The same bytes as a `Buffer`. `libsql` gives an `ArrayBuffer`, and a thread's message turns a `Buffer` into its base. */
export const bufferOf = (bytes: Uint8Array | ArrayBuffer): Buffer =>
  bytes instanceof ArrayBuffer
    ? Buffer.from(bytes)
    : Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)

import type { Turn } from '../turn.ts'

/** The event part of a row, in the columns of the file. */
export interface EventRow {
  readonly seq: number
  readonly id: string
  readonly source: string
  readonly type: string
  readonly raw_type: string
  readonly time: number
  readonly key: string | null
  readonly content_type: string | null
  readonly marks: string | null
  readonly headers: string
  readonly body: Uint8Array | ArrayBuffer
}

export const eventColumns =
  'e.seq, e.id, e.source, e.type, e.raw_type, e.time, e.key, e.content_type, e.marks, e.headers, e.body'

/** An event, in values that SQLite stores. */
export interface EventArgs {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly rawType: string
  readonly time: number
  readonly senderKey: string | null
  readonly contentType: string | null
  /** JSON. */
  readonly headers: string
  readonly marks: readonly string[]
  readonly body: Uint8Array
}

/** Stores an event. */
export function insertEvent(
  { db }: Turn,
  seq: number,
  args: EventArgs,
  state: 'routed' | 'unmatched' | 'quarantined',
  marks = args.marks,
): void {
  db.run(
    `INSERT INTO events (seq, id, source, type, raw_type, state, time, key, content_type, marks, headers, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    args.id,
    args.source,
    args.type,
    args.rawType,
    state,
    args.time,
    args.senderKey,
    args.contentType,
    marks.length > 0 ? JSON.stringify(marks) : null,
    args.headers,
    args.body,
  )
}

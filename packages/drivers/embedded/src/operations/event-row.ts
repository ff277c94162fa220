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

/** Something that an operator should know about an accepted event. */
export type Mark =
  /** The same bytes came before under another, unsigned id: a captured request may have been replayed. */
  | 'replay-suspected'
  /** The sender gave nothing to tell a repeat by, so repeats of this event are not recognised. */
  | 'no-key'

/** An accepted request as a driver carries it. Fields as in CloudEvents 1.0. */
export interface EventRecord {
  /** Unique per accepted event. */
  readonly id: string
  /** Name of the source in the hub. */
  readonly source: string
  /** Dotted, at most 200 bytes: `issues.opened`. */
  readonly type: string
  /** The type as the sender spells it. */
  readonly rawType: string
  /** When it was received, epoch milliseconds. */
  readonly time: number
  /** The sender's own id of the event, if it gives one. */
  readonly key?: string
  readonly contentType?: string
  /** Some headers of the request, lower case; never one that holds a signature or a credential. */
  readonly headers: Readonly<Record<string, string>>
  /** The exact bytes of the payload. */
  readonly rawBody: Buffer
  readonly marks?: readonly Mark[]
}

/** What a bot sees: the record and its parsed payload. */
export interface WebhookEvent<Data = unknown> extends EventRecord {
  /** The parsed JSON or form; for anything else the bytes. Parsed at the first look. */
  readonly data: Data
}

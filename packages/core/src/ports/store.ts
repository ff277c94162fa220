import type { DeadLetter } from '../words/delivery.ts'
import type { Capabilities, DeadLetters, Report } from './driver.ts'

/** A reply as remembered for repeats. */
export interface StoredReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Absent: the reply was too large or a stream, so the key is finished but the reply cannot be given again. */
  readonly body?: Buffer
}

/** Proof of holding a key. `complete`, `renew` and `release` compare the token, so a late holder is refused. */
export interface Held {
  readonly key: string
  readonly token: string
}

export type Claim =
  | ({ readonly is: 'claimed'; readonly before?: readonly string[] } & Held)
  | { readonly is: 'in-flight'; readonly retryAfterMs: number }
  | { readonly is: 'completed'; readonly reply: StoredReply }
  /** The key is known with another fingerprint. */
  | { readonly is: 'mismatch' }

/** Milliseconds. `timeoutMs`: the store must have answered by then. */
export interface ClaimOptions {
  readonly leaseMs: number
  readonly timeoutMs: number
}

/** Remembers who is at work on a key, and the reply once there is one. Every call is one atomic step. */
export interface Store {
  readonly name: string
  readonly capabilities: Pick<Capabilities, 'durability' | 'reach'>
  /**
   * Takes the key if nobody holds it or the holder's lease ran out.
   * @param key          hashed, at most 64 characters, its namespace included
   * @param fingerprint  of the request, to tell a repeat from a reused key
   */
  claim(key: string, fingerprint: string, options: ClaimOptions): Promise<Claim>
  /** Prolongs the lease. @returns false when the key is no longer held by this token */
  renew(held: Held, leaseMs: number): Promise<boolean>
  /** Stores the reply for repeats during `ttlMs`. @returns false when the key is no longer held by this token */
  complete(held: Held, reply: StoredReply, ttlMs: number): Promise<boolean>
  /** Frees the key. @returns false when the key is no longer held by this token */
  release(held: Held): Promise<boolean>
  close(): Promise<void>
}

/** What a holder leaves behind under its key, if it neither completes nor releases it. */
export interface Trace {
  /** Given to whoever claims the key next, after those of earlier holders. */
  readonly note: string
  /** How long it is kept beyond the lease, milliseconds. */
  readonly keepMs: number
  /** The bot that the claim is for: `tally` counts it there. */
  readonly bot?: string
}

/** As `ClaimOptions`; without a trace, a holder whose lease runs out leaves nothing behind. */
export interface TracedClaimOptions extends ClaimOptions {
  readonly trace?: Trace
  /** Names the claim, so that a command that is sent again recognises its own. Default: one is made. */
  readonly token?: string
}

/** What stands open for a bot. */
export interface Tally {
  /** Claims that are held, also by a holder whose lease has run out. */
  readonly held: number
  /** Claims that were released with a note, and that nobody holds. */
  readonly left: number
  readonly deadLetters: number
}

/** A small text that all processes share. `version` changes with each write. */
export interface Shared {
  readonly text: string
  readonly version: string
}

/**
 * A store that stands beside a broker, which forgets what it has delivered: it remembers what happened to each delivery,
 * which bots there are, and the dead letters.
 */
export interface CompanionStore extends Store {
  /**
   * As in `Store`. `before`: the notes of earlier holders that neither completed nor released without one, oldest first.
   * While there are notes, the key keeps its fingerprint.
   */
  claim(key: string, fingerprint: string, options: TracedClaimOptions): Promise<Claim>
  /** Frees the key, and leaves `note` (for the trace's `keepMs`) beside the notes that are there; without one, only those. */
  release(held: Held, note?: string): Promise<boolean>
  /** @param bot  null: only the quarantined are counted */
  tally(bot: string | null): Promise<Tally>
  /** The text that is shared under this name; undefined when there is none. */
  shared(name: string): Promise<Shared | undefined>
  /** Shares a text if the one that is there has this version; undefined: if there is none. @returns false otherwise */
  share(name: string, text: string, version: string | undefined): Promise<boolean>
  /**
   * Keeps a dead letter. A second one that is `once` the same, while the first is there, changes nothing.
   * @param once  names the delivery and its generation
   */
  bury(letter: Omit<DeadLetter, 'id'>, once: string): Promise<void>
  /** Looks at what it stands on. After that `capabilities` are true; the warnings are for the start-up report. */
  inspect(): Promise<Pick<Report, 'warnings'>>
  /** `discard` says how many it has removed: of two processes that remove one, one hears 1. */
  readonly deadLetters: Pick<DeadLetters, 'list' | 'read' | 'discard'>
}

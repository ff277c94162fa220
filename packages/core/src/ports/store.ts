import type { Capabilities } from './driver.ts'

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
  | ({ readonly is: 'claimed' } & Held)
  | { readonly is: 'in-flight'; readonly retryAfterMs: number }
  | { readonly is: 'completed'; readonly reply: StoredReply }
  /** The key is known with another fingerprint. */
  | { readonly is: 'mismatch' }

/** Remembers who is at work on a key, and the reply once there is one. Every call is one atomic step. */
export interface Store {
  readonly name: string
  readonly capabilities: Pick<Capabilities, 'durability' | 'reach'>
  /**
   * Takes the key if nobody holds it or the holder's lease ran out.
   * @param key          hashed, at most 64 characters, its namespace included
   * @param fingerprint  of the request, to tell a repeat from a reused key
   */
  claim(key: string, fingerprint: string, options: { leaseMs: number; timeoutMs: number }): Promise<Claim>
  /** Prolongs the lease. @returns false when the key is no longer held by this token */
  renew(held: Held, leaseMs: number): Promise<boolean>
  /** Stores the reply for repeats during `ttlMs`. @returns false when the key is no longer held by this token */
  complete(held: Held, reply: StoredReply, ttlMs: number): Promise<boolean>
  /** Frees the key. @returns false when the key is no longer held by this token */
  release(held: Held): Promise<boolean>
  close(): Promise<void>
}

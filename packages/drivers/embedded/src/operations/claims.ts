import type { Turn } from '../turn.ts'
import { longestWaitMs } from './sessions.ts'

/** A claim as the store port has it, with the reply in columns. */
export type Claimed =
  | { readonly is: 'claimed' }
  | { readonly is: 'in-flight'; readonly retryAfterMs: number }
  | {
      readonly is: 'completed'
      readonly status: number
      readonly headers: string
      readonly body: Uint8Array | ArrayBuffer | null
    }
  | { readonly is: 'mismatch' }

export interface ClaimArgs {
  readonly key: string
  readonly fingerprint: string
  readonly token: string
  readonly leaseMs: number
}

interface ClaimRow {
  fingerprint: string
  lease_ms: number
  leased_monotonic: number
  expires_at: number
  status: number | null
  headers: string
  body: Uint8Array | ArrayBuffer | null
}

/** When a claim that nobody finished is swept, beyond its lease: far enough that no step of the wall clock reaches it. */
const abandonedMs = 24 * 3_600_000

/** Takes the key unless it is finished, or held by a lease that runs. */
export function claimKey({ db, now, monotonicMs }: Turn, args: ClaimArgs): Claimed {
  const row = db.get<ClaimRow>('SELECT * FROM claims WHERE key = ?', args.key)
  if (row) {
    const { status, headers, body } = row
    const leftMs = row.leased_monotonic - monotonicMs
    const isLeased = leftMs > 0 && leftMs <= row.lease_ms + longestWaitMs
    const isTaken = status === null ? isLeased : row.expires_at > now
    if (isTaken && row.fingerprint !== args.fingerprint) return { is: 'mismatch' }
    if (isTaken) {
      return status === null
        ? { is: 'in-flight', retryAfterMs: leftMs }
        : { is: 'completed', status, headers, body }
    }
  }
  db.run(
    `INSERT OR REPLACE INTO claims (key, fingerprint, token, lease_ms, leased_monotonic, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
    args.key,
    args.fingerprint,
    args.token,
    args.leaseMs,
    monotonicMs + args.leaseMs,
    now + args.leaseMs + abandonedMs,
  )
  return { is: 'claimed' }
}

interface HeldArgs {
  readonly key: string
  readonly token: string
}

const held = 'key = ? AND token = ? AND status IS NULL'

export const renewClaim = ({ db, now, monotonicMs }: Turn, args: HeldArgs & { leaseMs: number }): boolean =>
  db.run(
    `UPDATE claims SET lease_ms = ?, leased_monotonic = ?, expires_at = ? WHERE ${held}`,
    args.leaseMs,
    monotonicMs + args.leaseMs,
    now + args.leaseMs + abandonedMs,
    args.key,
    args.token,
  ) > 0

export interface CompleteArgs extends HeldArgs {
  readonly status: number
  /** JSON. */
  readonly headers: string
  readonly body: Uint8Array | null
  readonly ttlMs: number
}

export const completeClaim = ({ db, now }: Turn, args: CompleteArgs): boolean =>
  db.run(
    `UPDATE claims SET expires_at = ?, status = ?, headers = ?, body = ? WHERE ${held}`,
    now + args.ttlMs,
    args.status,
    args.headers,
    args.body,
    args.key,
    args.token,
  ) > 0

export const releaseClaim = ({ db }: Turn, { key, token }: HeldArgs): boolean =>
  db.run(`DELETE FROM claims WHERE ${held}`, key, token) > 0

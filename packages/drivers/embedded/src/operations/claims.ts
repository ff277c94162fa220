import type { Tally } from '@trigger-hub/core'
import type { Turn } from '../turn.ts'
import { longestWaitMs } from './sessions.ts'

/** A claim as the store port has it, with the reply in columns. */
export type Claimed =
  /** `before`: JSON, the notes of earlier holders. */
  | { readonly is: 'claimed'; readonly before: string }
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
  readonly note: string | null
  readonly keepMs: number
  readonly bot: string | null
}

interface ClaimRow {
  fingerprint: string
  token: string | null
  lease_ms: number
  leased_monotonic: number
  expires_at: number
  status: number | null
  headers: string
  body: Uint8Array | ArrayBuffer | null
  note: string | null
  notes: string
}

/** When a claim that nobody finished is swept, beyond its lease: far enough that no step of the wall clock reaches it. */
const abandonedMs = 24 * 3_600_000

/** Takes the key unless it is finished, or held by a lease that runs. What earlier holders left behind goes with it. */
export function claimKey(turn: Turn, args: ClaimArgs): Claimed {
  const { db, now, monotonicMs } = turn
  const row = db.get<ClaimRow>('SELECT * FROM claims WHERE key = ?', args.key)
  // a command that was sent twice
  if (row?.token === args.token && renewClaim(turn, args)) return { is: 'claimed', before: row.notes }
  let before = '[]'
  if (row) {
    const { status, headers, body } = row
    const leftMs = row.leased_monotonic - monotonicMs
    const isLeased = row.token !== null && leftMs > 0 && leftMs <= row.lease_ms + longestWaitMs
    if (status === null && row.expires_at - abandonedMs > now) before = notesOf(row)
    const isKnown = status === null ? isLeased || before !== '[]' : row.expires_at > now
    if (isKnown && row.fingerprint !== args.fingerprint) return { is: 'mismatch' }
    if (status === null && isLeased) return { is: 'in-flight', retryAfterMs: leftMs }
    if (status !== null && isKnown) return { is: 'completed', status, headers, body }
  }
  db.run(
    `INSERT OR REPLACE INTO claims
       (key, fingerprint, token, lease_ms, leased_monotonic, expires_at, note, keep_ms, bot, notes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    args.key,
    args.fingerprint,
    args.token,
    args.leaseMs,
    monotonicMs + args.leaseMs,
    now + args.leaseMs + args.keepMs + abandonedMs,
    args.note,
    args.keepMs,
    args.bot,
    before,
  )
  return { is: 'claimed', before }
}

/** JSON. A holder that is gone has left its note. */
function notesOf({ token, note, notes }: ClaimRow): string {
  return token === null || note === null ? notes : JSON.stringify([...(JSON.parse(notes) as string[]), note])
}

interface HeldArgs {
  readonly key: string
  readonly token: string
}

const held = 'key = ? AND token = ? AND status IS NULL'

export const renewClaim = ({ db, now, monotonicMs }: Turn, args: HeldArgs & { leaseMs: number }): boolean =>
  db.run(
    `UPDATE claims SET lease_ms = ?, leased_monotonic = ?, expires_at = ? + keep_ms WHERE ${held}`,
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

export interface ReleaseArgs extends HeldArgs {
  readonly note: string | null
}

/** Frees the key. The row stays while there are notes. */
export const releaseClaim = ({ db, now }: Turn, { key, token, note }: ReleaseArgs): boolean =>
  (note === null && db.run(`DELETE FROM claims WHERE ${held} AND notes = '[]'`, key, token) > 0) ||
  db.run(
    `UPDATE claims SET token = NULL, expires_at = ? + keep_ms,
       notes = CASE WHEN ?2 IS NULL THEN notes ELSE json_insert(notes, '$[#]', ?2) END
     WHERE ${held}`,
    now + abandonedMs,
    note,
    key,
    token,
  ) > 0

/** Claims for a bot that are held, those that were released with a note, and its dead letters. */
export function tallyBot({ db, now }: Turn, { bot }: { bot: string | null }): Tally {
  const claims = db.get<{ held: number; open: number }>(
    'SELECT count(token) AS held, count(*) AS open FROM claims WHERE bot = ? AND status IS NULL AND expires_at > ?',
    bot,
    now + abandonedMs,
  )
  const dead = db.get<{ n: number }>('SELECT count(*) AS n FROM dead_letters WHERE bot IS ?', bot)
  const { held: isHeld = 0, open = 0 } = claims ?? {}
  return { held: isHeld, left: open - isHeld, deadLetters: dead?.n ?? 0 }
}

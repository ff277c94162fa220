import type { AttemptRecord, RenewedSession } from '@trigger-hub/core'
import type { Turn } from '../turn.ts'
import { buryIfRetired } from './dead-letters.ts'

export interface RenewArgs {
  readonly session: string
  readonly leaseMs: number
  readonly pid: number
  /** Begins the session; otherwise it must still be alive. */
  readonly begin: boolean
}

/**
 * The monotonic clock restarts with the machine, so an expiry too far ahead is from before. A lease may look a little
 * longer than it is, since an operation that had to wait for the lock still has the time at which it was asked for.
 */
export const longestWaitMs = 30_000

const alive = `expires_monotonic > ?1 AND expires_monotonic <= ?1 + lease_ms + ${longestWaitMs}`

/** Prolongs the lease of a session and takes back what dead sessions were running. */
export function renewSession(turn: Turn, { session, leaseMs, pid, begin }: RenewArgs): RenewedSession {
  const { db, monotonicMs } = turn
  let isHeld = true
  if (begin) {
    db.run(
      'INSERT INTO sessions (id, pid, lease_ms, expires_monotonic) VALUES (?, ?, ?, ?)',
      session,
      pid,
      leaseMs,
      monotonicMs + leaseMs,
    )
  } else {
    isHeld =
      db.run(
        `UPDATE sessions SET expires_monotonic = ?1 + lease_ms WHERE id = ?2 AND ${alive}`,
        monotonicMs,
        session,
      ) > 0
  }
  takeBack(turn)
  const next = db.get<{ at: number | null }>(
    'SELECT min(expires_monotonic) AS at FROM sessions WHERE id <> ?',
    session,
  )
  return { isHeld, nextExpiryMs: next?.at == null ? undefined : Math.max(0, next.at - monotonicMs) }
}

export const isAlive = ({ db, monotonicMs }: Turn, session: string): boolean =>
  db.get(`SELECT 1 FROM sessions WHERE id = ?2 AND ${alive}`, monotonicMs, session) !== undefined

/** Ends a session in good order: what it still runs is given back and costs no attempt. */
export function endSession(turn: Turn, { session }: { session: string }): null {
  giveBack(turn, session, () => true)
  turn.db.run('DELETE FROM sessions WHERE id = ?', session)
  return null
}

/** Gives back what a session runs, or these of it. It may have begun, so the next run says `redelivered`. */
export function giveBack(turn: Turn, session: string, these: (row: Running) => boolean): void {
  const { db, now } = turn
  for (const row of runningOf(turn, session).filter(these)) {
    db.run(
      `UPDATE deliveries SET state = 'waiting', session = NULL, due_at = ?, interrupted = 1 WHERE event = ? AND bot = ?`,
      now,
      row.event,
      row.bot,
    )
    buryIfRetired(turn, row)
  }
}

function takeBack(turn: Turn): void {
  const { db, now, monotonicMs } = turn
  const dead = db.all<{ session: string }>(
    `SELECT DISTINCT session FROM deliveries
     WHERE state = 'running' AND session NOT IN (SELECT id FROM sessions WHERE ${alive})`,
    monotonicMs,
  )
  for (const { session } of dead) {
    for (const row of runningOf(turn, session)) {
      const lost: AttemptRecord = {
        attempt: row.attempt,
        startedAt: row.started_at,
        endedAt: now,
        outcome: 'lost',
      }
      db.run(
        `UPDATE deliveries SET state = 'waiting', session = NULL, due_at = ?, attempt = attempt + 1, interrupted = 1,
         history = ? WHERE event = ? AND bot = ?`,
        now,
        JSON.stringify([...(JSON.parse(row.history) as AttemptRecord[]), lost]),
        row.event,
        row.bot,
      )
      buryIfRetired(turn, row)
    }
  }
  db.run(`DELETE FROM sessions WHERE NOT (${alive})`, monotonicMs)
}

interface Running {
  event: number
  eventId: string
  bot: string
  attempt: number
  started_at: number
  history: string
}

const runningOf = ({ db }: Turn, session: string): Running[] =>
  db.all(
    `SELECT d.event, e.id AS eventId, d.bot, d.attempt, d.started_at, d.history
     FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.state = 'running' AND d.session = ?`,
    session,
  )

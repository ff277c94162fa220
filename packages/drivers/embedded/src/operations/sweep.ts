import type { Turn } from '../turn.ts'
import { Wants, type Routed } from '../wants.ts'

export interface SweepArgs {
  /** How long settled and unmatched events are kept, milliseconds. */
  readonly retentionMs: number
  /** Where the last slice stopped. */
  readonly after: number
}

export interface Swept {
  readonly after: number
  /** There may be more to do right now. */
  readonly more: boolean
}

/** Rows that one slice looks at, of each kind. */
const slice = 200

/** Removes a slice of what has been kept long enough: keys, replies, settled deliveries, events that are done with. */
export function sweep(turn: Turn, { retentionMs, after }: SweepArgs): Swept {
  const { db, now } = turn
  const keys = db.run(
    'DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE expires_at <= ? LIMIT ?)',
    now,
    slice,
  )
  const claims = db.run(
    'DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE expires_at <= ? LIMIT ?)',
    now,
    slice,
  )
  const settled = sweepDeliveries(turn, now - retentionMs)
  const events = sweepEvents(turn, now - retentionMs, after)
  return { after: events.after, more: events.more || [keys, claims, settled].includes(slice) }
}

/** A row stays until its bot's cursor is past the event, or the event would be handed out again. */
function sweepDeliveries(turn: Turn, before: number): number {
  const { db } = turn
  const rows = db.all<{ event: number; bot: string }>(
    `SELECT d.event, d.bot FROM deliveries d LEFT JOIN bots b ON b.name = d.bot
     WHERE d.settled_at <= ? AND (b.cursor IS NULL OR b.cursor >= d.event) LIMIT ?`,
    before,
    slice,
  )
  for (const { event, bot } of rows) {
    db.run('DELETE FROM deliveries WHERE event = ? AND bot = ?', event, bot)
    const time = db.get<{ time: number }>('SELECT time FROM events WHERE seq = ?', event)?.time
    if (time !== undefined && time <= before && isDoneWith(turn, event)) {
      db.run('DELETE FROM events WHERE seq = ?', event)
    }
  }
  return rows.length
}

/** Events that have no delivery left, in the order of acceptance; stops at the first that may still be wanted. */
function sweepEvents(turn: Turn, before: number, after: number): Swept {
  const { db } = turn
  const rows = db.all<{ seq: number; time: number }>(
    'SELECT seq, time FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
    after,
    slice,
  )
  let position = after
  for (const { seq, time } of rows) {
    if (time > before || isAwaited(turn, seq)) return { after: position, more: false }
    if (isDoneWith(turn, seq)) db.run('DELETE FROM events WHERE seq = ?', seq)
    position = seq
  }
  return { after: position, more: rows.length === slice }
}

const isDoneWith = (turn: Turn, seq: number): boolean =>
  turn.db.get('SELECT 1 FROM deliveries WHERE event = ? LIMIT 1', seq) === undefined &&
  turn.db.get(
    'SELECT 1 FROM dead_letters l JOIN events e ON l.event_id = e.id WHERE e.seq = ? LIMIT 1',
    seq,
  ) === undefined &&
  !isAwaited(turn, seq)

/** Whether a bot that wants the event has not looked at it. */
function isAwaited({ db }: Turn, seq: number): boolean {
  const behind = db.all<{ patterns: string }>('SELECT patterns FROM bots WHERE cursor < ?', seq)
  if (behind.length === 0) return false
  const event = db.get<Routed>('SELECT seq, source, type FROM events WHERE seq = ?', seq)
  return event !== undefined && behind.some(({ patterns }) => Wants.parse(patterns).has(event))
}

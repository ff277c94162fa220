import type { DeadLetterFilter, DeadLetterReason } from '@trigger-hub/core'
import type { Value } from '../database.ts'
import type { Turn } from '../turn.ts'
import { eventColumns, insertEvent, type EventArgs, type EventRow } from './event-row.ts'

/** A dead letter as it comes from the file. */
export interface DeadLetterRow extends EventRow {
  readonly dead: number
  readonly bot: string | null
  readonly reason: DeadLetterReason
  readonly at: number
  /** JSON; null for a quarantined event. */
  readonly history: string | null
}

export interface DeadLetterRange {
  readonly filter: DeadLetterFilter
  /** Dead letters after this one … */
  readonly after: number
  /** … up to this one, at most `limit`. */
  readonly until: number
  readonly limit: number
}

/** Most bytes of bodies that one operation hands over, so that a page of large events stalls nobody. */
const mostBytes = 4 * 1024 ** 2

/** Puts a delivery, or an event that no bot has seen, into the dead letters. */
export function bury(
  { db, now }: Turn,
  {
    event,
    eventId,
    bot,
    reason,
  }: { event: number; eventId: string; bot: string | null; reason: DeadLetterReason },
): void {
  db.run(
    'INSERT INTO dead_letters (event, event_id, bot, reason, at) VALUES (?, ?, ?, ?, ?)',
    event,
    eventId,
    bot,
    reason,
    now,
  )
}

export interface BurialArgs extends EventArgs {
  readonly bot: string | null
  readonly reason: DeadLetterReason
  readonly at: number
  /** JSON. */
  readonly history: string
  readonly once: string
}

/** Keeps the dead letter of a delivery that another driver has carried, with an event of its own. */
export function buryForeign(turn: Turn, args: BurialArgs): void {
  const { db } = turn
  if (db.get('SELECT 1 FROM dead_letters WHERE once = ?', args.once)) return
  const { bot, reason, at, history, once } = args
  const seq = turn.nextEvent()
  insertEvent(turn, seq, args, 'quarantined')
  if (bot !== null) {
    db.run(
      `INSERT INTO deliveries (event, bot, state, attempt, generation, interrupted, history)
       VALUES (?, ?, 'dead', 1, 0, 0, ?)`,
      seq,
      bot,
      history,
    )
  }
  db.run(
    'INSERT INTO dead_letters (event, event_id, bot, reason, at, once) VALUES (?, ?, ?, ?, ?, ?)',
    seq,
    args.id,
    bot,
    reason,
    at,
    once,
  )
}

/** A delivery that waits for a bot that is gone, or on its way out, is given up on. */
export function buryIfRetired(
  turn: Turn,
  { event, eventId, bot }: { event: number; eventId: string; bot: string },
): void {
  if (turn.has(bot)) {
    turn.woken.add(bot)
    return
  }
  turn.db.run(`UPDATE deliveries SET state = 'dead', due_at = NULL WHERE event = ? AND bot = ?`, event, bot)
  bury(turn, { event, eventId, bot, reason: 'retired' })
}

const joined = `FROM dead_letters l
  JOIN events e ON e.seq = l.event
  LEFT JOIN deliveries d ON d.event = l.event AND d.bot = l.bot`

/** A part of a page: fewer than `limit` when the bodies are large. */
export function listDeadLetters(
  { db }: Turn,
  { filter, after, until, limit }: DeadLetterRange,
): DeadLetterRow[] {
  const { text, values } = where(filter)
  const found = db.all<{ id: number; size: number }>(
    `SELECT l.id, length(e.body) AS size FROM dead_letters l JOIN events e ON e.seq = l.event
     WHERE l.id > ? AND l.id <= ? ${text} ORDER BY l.id LIMIT ?`,
    after,
    until,
    ...values,
    limit,
  )
  const rows: DeadLetterRow[] = []
  let bytes = 0
  for (const { id, size } of found) {
    bytes += size
    if (rows.length > 0 && bytes > mostBytes) break
    const row = db.get<DeadLetterRow>(
      `SELECT l.id AS dead, l.bot, l.reason, l.at, d.history, ${eventColumns} ${joined} WHERE l.id = ?`,
      id,
    )
    if (row) rows.push(row)
  }
  return rows
}

/** Id of the newest dead letter, so that work over all of them has an end. */
export const lastDeadLetter = ({ db }: Turn, _all: object): number =>
  db.get<{ id: number | null }>('SELECT max(id) AS id FROM dead_letters')?.id ?? 0

/** What one slice of a redrive or discard did: how many, and where the next one starts; null at the end. */
export interface Slice {
  readonly count: number
  readonly next: number | null
}

/** A dead letter whose bot is not in the registry stays: there is nobody to give it to. */
export const redriveDeadLetters = (turn: Turn, range: DeadLetterRange): Slice =>
  eachOf(turn, range, ({ id, event, bot }) => {
    const { db, now } = turn
    const targets = bot === null ? wanting(turn, event) : turn.has(bot) ? [bot] : []
    if (targets.length === 0) return false
    for (const target of targets) {
      db.run(
        `INSERT INTO deliveries (event, bot, state, attempt, generation, interrupted, due_at, history)
         VALUES (?, ?, 'waiting', 1, 0, 0, ?, '[]')
         ON CONFLICT (event, bot) DO UPDATE SET
           state = 'waiting', attempt = 1, interrupted = 0, due_at = excluded.due_at, history = '[]'`,
        event,
        target,
        now,
      )
      turn.woken.add(target)
    }
    db.run('DELETE FROM dead_letters WHERE id = ?', id)
    return true
  })

/** The delivery is marked for the sweep: its row goes once its bot's cursor is past the event. */
export const discardDeadLetters = (turn: Turn, range: DeadLetterRange): Slice =>
  eachOf(turn, range, ({ id, event, bot }) => {
    const { db } = turn
    db.run('DELETE FROM dead_letters WHERE id = ?', id)
    if (bot === null) db.run('DELETE FROM events WHERE seq = ?', event)
    else {
      db.run(
        `UPDATE deliveries SET state = 'discarded', settled_at = 0 WHERE event = ? AND bot = ?`,
        event,
        bot,
      )
    }
    return true
  })

interface Found {
  id: number
  event: number
  bot: string | null
}

function eachOf(
  { db }: Turn,
  { filter, after, until, limit }: DeadLetterRange,
  task: (found: Found) => boolean,
): Slice {
  const { text, values } = where(filter)
  const found = db.all<Found>(
    `SELECT l.id, l.event, l.bot FROM dead_letters l WHERE l.id > ? AND l.id <= ? ${text} ORDER BY l.id LIMIT ?`,
    after,
    until,
    ...values,
    limit,
  )
  const count = found.filter(task).length
  return { count, next: found.length < limit ? null : (found.at(-1)?.id ?? null) }
}

/** The bots that would get the event if it came now. */
function wanting({ db, bots }: Turn, event: number): string[] {
  const row = db.get<{ source: string; type: string }>('SELECT source, type FROM events WHERE seq = ?', event)
  if (!row) return []
  return bots.filter(({ wants }) => wants.has({ ...row, seq: Infinity })).map(({ name }) => name)
}

function where({ bot, reason, event, since }: DeadLetterFilter): { text: string; values: Value[] } {
  const parts: [string, Value | undefined][] = [
    ['l.bot = ?', bot],
    ['l.reason = ?', reason],
    ['l.event_id = ?', event],
    ['l.at >= ?', since],
  ]
  const given = parts.filter((part): part is [string, Value] => part[1] !== undefined)
  return { text: given.map(([text]) => `AND ${text}`).join(' '), values: given.map(([, value]) => value) }
}

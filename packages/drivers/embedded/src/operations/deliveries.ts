import type { DeadLetterReason, Settled } from '@trigger-hub/core'
import type { Turn } from '../turn.ts'
import { Wants, type Routed } from '../wants.ts'
import { bury, buryIfRetired } from './dead-letters.ts'
import { eventColumns, type EventRow } from './event-row.ts'
import { giveBack, isAlive } from './sessions.ts'

/** A delivery as it comes from the file. */
export interface DeliveryRow extends EventRow {
  readonly attempt: number
  readonly generation: number
  readonly interrupted: number
  /** JSON. */
  readonly history: string
}

export interface TakeArgs {
  readonly bot: string
  readonly session: string
  /** Most deliveries. */
  readonly limit: number
  /** The events that the session runs, when an answer to it was lost: whatever else the file has it run is given back. */
  readonly running: readonly number[] | null
}

export type Taken =
  | {
      readonly is: 'taken'
      readonly deliveries: DeliveryRow[]
      /** There may be more right now. */
      readonly more: boolean
      /** When the next retry is due, epoch milliseconds. */
      readonly nextDueAt: number | null
    }
  /** The session has ended: nothing may be handed to it. */
  | { readonly is: 'lost' }

/** Most events that one operation looks at, and most bytes that it hands over: then others get their turn. */
const mostScanned = 500
const mostBytes = 8 * 1024 ** 2

/** Hands deliveries to a session: retries that are due, then what the bot's cursor has not passed. */
export function takeDeliveries(turn: Turn, { bot, session, limit, running }: TakeArgs): Taken {
  const { db } = turn
  if (!isAlive(turn, session)) return { is: 'lost' }
  if (running) giveBack(turn, session, (row) => row.bot === bot && !running.includes(row.event))
  const deliveries: DeliveryRow[] = []
  let bytes = 0
  const take = (row: DeliveryRow): boolean => {
    deliveries.push(row)
    bytes += row.body.byteLength
    return deliveries.length < limit && bytes < mostBytes
  }
  const full = takeDue(turn, bot, session, limit, take) || takeNew(turn, bot, session, limit, take)
  turn.handedOut += deliveries.length
  const due = db.get<{ at: number | null }>(
    `SELECT min(due_at) AS at FROM deliveries WHERE bot = ? AND state = 'waiting'`,
    bot,
  )
  return { is: 'taken', deliveries, more: full, nextDueAt: due?.at ?? null }
}

/** @returns true when no more fits */
function takeDue(
  { db, now }: Turn,
  bot: string,
  session: string,
  limit: number,
  take: (row: DeliveryRow) => boolean,
): boolean {
  const due = db.all<{ event: number }>(
    `SELECT event FROM deliveries WHERE bot = ? AND state = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?`,
    bot,
    now,
    limit,
  )
  for (const { event } of due) {
    db.run(
      `UPDATE deliveries SET state = 'running', session = ?, started_at = ?, due_at = NULL, generation = generation + 1
       WHERE event = ? AND bot = ?`,
      session,
      now,
      event,
      bot,
    )
    const row = db.get<DeliveryRow>(
      `SELECT d.attempt, d.generation, d.interrupted, d.history, ${eventColumns}
       FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.event = ? AND d.bot = ?`,
      event,
      bot,
    )
    if (row && !take(row)) return true
  }
  return false
}

/** @returns true when no more fits, or when there is more to look at */
function takeNew(
  { db, now }: Turn,
  bot: string,
  session: string,
  limit: number,
  take: (row: DeliveryRow) => boolean,
): boolean {
  const registered = db.get<{ patterns: string; cursor: number }>(
    'SELECT patterns, cursor FROM bots WHERE name = ? AND retiring_until IS NULL',
    bot,
  )
  if (!registered) return false
  const wants = Wants.parse(registered.patterns)
  let { cursor } = registered
  let full = false
  for (let looked = 0; !full;) {
    const ahead = db.all<Routed & { state: string }>(
      'SELECT seq, source, type, state FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
      cursor,
      limit,
    )
    for (const event of ahead) {
      cursor = event.seq
      if (event.state === 'quarantined' || !wants.has(event)) continue
      const begun = db.run(
        `INSERT INTO deliveries (event, bot, state, attempt, generation, interrupted, session, started_at, history)
         VALUES (?, ?, 'running', 1, 1, 0, ?, ?, '[]') ON CONFLICT DO NOTHING`, // it went on from the request
        event.seq,
        bot,
        session,
        now,
      )
      if (begun === 0) continue
      const row = db.get<EventRow>(`SELECT ${eventColumns} FROM events e WHERE e.seq = ?`, event.seq)
      if (row && !take({ attempt: 1, generation: 1, interrupted: 0, history: '[]', ...row })) {
        full = true
        break
      }
    }
    if (ahead.length < limit) break
    full ||= (looked += ahead.length) >= mostScanned
  }
  if (cursor > registered.cursor) db.run('UPDATE bots SET cursor = ? WHERE name = ?', cursor, bot)
  return full
}

/** A verdict on a delivery that was handed out as `generation`. */
export interface SettleArgs {
  readonly event: number
  readonly eventId: string
  readonly bot: string
  readonly generation: number
  readonly verdict:
    | { readonly is: 'done' }
    | { readonly is: 'retry'; readonly afterMs: number; readonly history: string }
    | { readonly is: 'dead-letter'; readonly reason: DeadLetterReason; readonly history: string }
    | { readonly is: 'release'; readonly interrupted: boolean }
}

/** Carries a verdict out, unless the delivery has been handed to somebody else since. */
export function settle(turn: Turn, args: SettleArgs): Settled {
  const { db, now } = turn
  const { event, bot, generation, verdict } = args
  const update = (set: string, ...values: (string | number | null)[]): boolean =>
    db.run(
      `UPDATE deliveries SET session = NULL, ${set}
       WHERE event = ? AND bot = ? AND generation = ? AND state = 'running'`,
      ...values,
      event,
      bot,
      generation,
    ) > 0
  let settled: boolean
  switch (verdict.is) {
    case 'done':
      settled = update(`state = 'done', settled_at = ?`, now)
      break
    case 'dead-letter':
      settled = update(`state = 'dead', history = ?`, verdict.history)
      if (settled) bury(turn, { ...args, reason: verdict.reason })
      break
    case 'retry':
      settled = update(
        `state = 'waiting', attempt = attempt + 1, due_at = ?, history = ?`,
        now + verdict.afterMs,
        verdict.history,
      )
      if (settled) buryIfRetired(turn, args)
      break
    case 'release':
      settled = update(
        `state = 'waiting', due_at = ?, interrupted = max(interrupted, ?)`,
        now,
        verdict.interrupted ? 1 : 0,
      )
      if (settled) buryIfRetired(turn, args)
      break
  }
  return settled ? 'settled' : 'fenced'
}

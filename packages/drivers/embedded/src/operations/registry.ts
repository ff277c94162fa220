import type { BotDeclaration, BotReport } from '@trigger-hub/core'
import type { Turn } from '../turn.ts'
import { Wants, type Routed } from '../wants.ts'
import { bury, buryIfRetired } from './dead-letters.ts'

/** Writes bots into the registry. A new one starts after the newest event; a known one keeps its place. */
export function declareBots(turn: Turn, { bots }: { bots: readonly BotDeclaration[] }): null {
  const { db } = turn
  for (const { name, on } of bots) {
    const known = db.get<{ patterns: string; cursor: number }>(
      'SELECT patterns, cursor FROM bots WHERE name = ?',
      name,
    )
    db.run(
      `INSERT INTO bots (name, patterns, cursor) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET patterns = excluded.patterns, retiring_until = NULL`,
      name,
      Wants.changed(known?.patterns, on, turn.lastEvent, known?.cursor ?? turn.lastEvent),
      turn.lastEvent,
    )
  }
  turn.forgetBots()
  return null
}

/** Most events and deliveries that one slice of a retirement looks at. */
const slice = 500

/**
 * Retires a bot, a slice at a time: from the first one on it gets no new event, and with the last one it is gone.
 * @returns true when there is more to do
 */
export function retireBot(turn: Turn, { bot }: { bot: string }): boolean {
  const { db } = turn
  db.run('UPDATE bots SET retiring_until = ? WHERE name = ? AND retiring_until IS NULL', turn.lastEvent, bot)
  turn.forgetBots()
  const waiting = db.all<{ event: number; eventId: string }>(
    `SELECT d.event, e.id AS eventId FROM deliveries d JOIN events e ON e.seq = d.event
     WHERE d.bot = ? AND d.state = 'waiting' LIMIT ?`,
    bot,
    slice,
  )
  for (const row of waiting) buryIfRetired(turn, { ...row, bot })
  if (waiting.length === slice) return true

  const row = db.get<{ patterns: string; cursor: number; until: number }>(
    'SELECT patterns, cursor, retiring_until AS until FROM bots WHERE name = ?',
    bot,
  )
  if (!row) return false
  const wants = Wants.parse(row.patterns)
  const ahead = db.all<{ seq: number; id: string; source: string; type: string; state: string }>(
    'SELECT seq, id, source, type, state FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    row.cursor,
    row.until,
    slice,
  )
  for (const event of ahead) {
    if (event.state === 'quarantined' || !wants.has(event)) continue
    const made = db.run(
      `INSERT INTO deliveries (event, bot, state, attempt, generation, interrupted, history)
       VALUES (?, ?, 'dead', 1, 0, 0, '[]') ON CONFLICT DO NOTHING`,
      event.seq,
      bot,
    )
    if (made > 0) bury(turn, { event: event.seq, eventId: event.id, bot, reason: 'retired' })
  }
  if (ahead.length === slice) {
    db.run('UPDATE bots SET cursor = ? WHERE name = ?', ahead.at(-1)?.seq ?? row.cursor, bot)
    return true
  }
  db.run('DELETE FROM bots WHERE name = ?', bot)
  return false
}

/** The registry as it stands, without the backlogs, which are counted in slices. */
export interface Standing {
  readonly bots: (Omit<BotReport, 'backlog'> & { readonly cursor: number })[]
  readonly unmatched: number
  readonly quarantined: number
  /** Newest event. */
  readonly last: number
}

export function standing({ db, lastEvent }: Turn, _all: object): Standing {
  const count = (sql: string, ...values: string[]): number => db.get<{ n: number }>(sql, ...values)?.n ?? 0
  const bots = db.all<{ name: string; patterns: string; cursor: number }>(
    'SELECT name, patterns, cursor FROM bots ORDER BY name',
  )
  return {
    bots: bots.map(({ name, patterns, cursor }) => ({
      name,
      on: Wants.parse(patterns).on,
      cursor,
      waiting: count(`SELECT count(*) AS n FROM deliveries WHERE bot = ? AND state = 'waiting'`, name),
      running: count(`SELECT count(*) AS n FROM deliveries WHERE bot = ? AND state = 'running'`, name),
      deadLetters: count('SELECT count(*) AS n FROM dead_letters WHERE bot = ?', name),
    })),
    unmatched: count(`SELECT count(*) AS n FROM events WHERE state = 'unmatched'`),
    quarantined: count('SELECT count(*) AS n FROM dead_letters WHERE bot IS NULL'),
    last: lastEvent,
  }
}

export interface BacklogArgs {
  readonly bot: string
  readonly after: number
  readonly until: number
}

/** Counts a part of what a bot has not looked at. `next`: where the next part starts; null at the end. */
export function countBacklog(
  { db }: Turn,
  { bot, after, until }: BacklogArgs,
): { count: number; next: number | null } {
  const row = db.get<{ patterns: string }>('SELECT patterns FROM bots WHERE name = ?', bot)
  if (!row) return { count: 0, next: null }
  const wants = Wants.parse(row.patterns)
  const end = Math.min(until, after + 2_000)
  const events = db.all<Routed>(
    `SELECT e.seq, e.source, e.type FROM events e LEFT JOIN deliveries d ON d.event = e.seq AND d.bot = ?
     WHERE e.seq > ? AND e.seq <= ? AND e.state <> 'quarantined' AND d.event IS NULL`,
    bot,
    after,
    end,
  )
  return { count: events.filter((event) => wants.has(event)).length, next: end < until ? end : null }
}

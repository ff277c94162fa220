import type { Accepted } from '@trigger-hub/core'
import type { Turn } from '../turn.ts'
import { bury } from './dead-letters.ts'
import { insertEvent, type EventArgs } from './event-row.ts'

/** An event and its `AcceptOptions`. */
export interface AcceptArgs extends EventArgs {
  /** What tells a repeat; made from the token when the sender gave nothing. */
  readonly key: string
  readonly fingerprint: string
  readonly replayKey: string | null
  readonly rejectReplay: boolean
  readonly quarantine: boolean
  readonly ttlMs: number
  readonly token: string
  readonly resume: {
    readonly bot: string
    readonly history: string
    readonly attempt: number
    readonly afterMs: number
  } | null
}

interface KnownKey {
  fingerprint: string
  event: number
  event_id: string
  token: string
}

/** Claims the key and stores the event in one step. */
export function accept(turn: Turn, args: AcceptArgs): Accepted {
  if (args.quarantine) return quarantine(turn, args)
  const seq = turn.nextEvent()
  if (!remember(turn, args.key, seq, args)) {
    const first = knownKey(turn, args.key)
    if (first?.token === args.token) return ownEvent(turn, first)
    if (first && first.fingerprint !== args.fingerprint) return quarantine(turn, args)
    if (first) {
      return { is: 'duplicate', id: first.event_id, deadLetters: countDeadLetters(turn, first.event_id) }
    }
  }
  const replaySuspected = args.replayKey !== null && !remember(turn, args.replayKey, seq, args)
  if (replaySuspected && args.rejectReplay) {
    turn.db.run('DELETE FROM keys WHERE key = ?', args.key)
    return { is: 'replay' }
  }
  const marks: readonly string[] = replaySuspected ? [...args.marks, 'replay-suspected'] : args.marks
  const { source, type } = args
  const wanting = turn.bots.filter(({ wants }) => wants.has({ seq, source, type }))
  insertEvent(turn, seq, args, wanting.length > 0 || args.resume ? 'routed' : 'unmatched', marks)
  for (const { name } of wanting) turn.woken.add(name)
  if (args.resume) resume(turn, seq, args.resume)
  return replaySuspected ? { is: 'accepted', id: args.id, replaySuspected } : { is: 'accepted', id: args.id }
}

/** The bot's cursor passes over the event later, since this delivery is there. */
function resume({ db, now, woken }: Turn, seq: number, args: NonNullable<AcceptArgs['resume']>): void {
  const { bot, history, attempt, afterMs } = args
  db.run(
    `INSERT INTO deliveries (event, bot, state, attempt, generation, interrupted, due_at, history)
     VALUES (?, ?, 'waiting', ?, 0, 0, ?, ?)`,
    seq,
    bot,
    attempt,
    now + afterMs,
    history,
  )
  woken.add(bot)
}

/** Keeps both bodies: this one where no bot sees it, once however often it comes. */
function quarantine(turn: Turn, args: AcceptArgs): Accepted {
  const key = `${args.key}#${args.fingerprint}`
  const seq = turn.nextEvent()
  if (!remember(turn, key, seq, args)) {
    return { is: 'mismatch', id: knownKey(turn, key)?.event_id ?? args.id }
  }
  insertEvent(turn, seq, args, 'quarantined')
  bury(turn, { event: seq, eventId: args.id, bot: null, reason: 'key-reused' })
  return { is: 'mismatch', id: args.id }
}

const knownKey = ({ db, now }: Turn, key: string): KnownKey | undefined =>
  db.get('SELECT fingerprint, event, event_id, token FROM keys WHERE key = ? AND expires_at > ?', key, now)

/** @returns false when the key is known already */
function remember(
  { db, now }: Turn,
  key: string,
  seq: number,
  { fingerprint, id, token, ttlMs }: AcceptArgs,
): boolean {
  return (
    db.run(
      `INSERT INTO keys (key, fingerprint, event, event_id, token, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (key) DO UPDATE SET fingerprint = ?2, event = ?3, event_id = ?4, token = ?5, expires_at = ?6
       WHERE expires_at <= ?7`,
      key,
      fingerprint,
      seq,
      id,
      token,
      now + ttlMs,
      now,
    ) > 0
  )
}

/** A command that was sent twice gets its first answer again. */
function ownEvent({ db }: Turn, { event, event_id: id }: KnownKey): Accepted {
  const marks = db.get<{ marks: string | null }>('SELECT marks FROM events WHERE seq = ?', event)?.marks
  return marks?.includes('replay-suspected')
    ? { is: 'accepted', id, replaySuspected: true }
    : { is: 'accepted', id }
}

const countDeadLetters = ({ db }: Turn, eventId: string): number =>
  db.get<{ n: number }>('SELECT count(*) AS n FROM dead_letters WHERE event_id = ?', eventId)?.n ?? 0

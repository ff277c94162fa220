import type { Database } from './database.ts'
import { Wants } from './wants.ts'

/** A bot as the registry in the file knows it. */
export interface RegisteredBot {
  readonly name: string
  readonly wants: Wants
  /** Last event that it has looked at. */
  readonly cursor: number
}

/** What an operation works with: one transaction, the time, and who is to be woken by it. */
export class Turn {
  readonly db: Database
  /** Epoch milliseconds, by the clock of the driver. */
  readonly now: number
  /** By the clock of the driver, the same for all processes of the machine. */
  readonly monotonicMs: number
  /** Bots that find something new once this turn is committed. */
  readonly woken = new Set<string>()
  /** Deliveries that a session was given to run. */
  handedOut = 0
  #bots: RegisteredBot[] | undefined
  #lastEvent: { readonly stored: number; current: number } | undefined

  constructor(db: Database, { now, monotonicMs }: { now: number; monotonicMs: number }) {
    this.db = db
    this.now = now
    this.monotonicMs = monotonicMs
  }

  /** The bots that new events are for; read once per transaction. */
  get bots(): readonly RegisteredBot[] {
    return (this.#bots ??= this.db
      .all<{ name: string; patterns: string; cursor: number }>(
        'SELECT name, patterns, cursor FROM bots WHERE retiring_until IS NULL',
      )
      .map(({ name, patterns, cursor }) => ({ name, wants: Wants.parse(patterns), cursor })))
  }

  /** Seq of the newest event. */
  get lastEvent(): number {
    return this.#last.current
  }

  /** A seq for a new event. */
  nextEvent(): number {
    return ++this.#last.current
  }

  get #last(): { readonly stored: number; current: number } {
    if (!this.#lastEvent) {
      const stored = this.db.get<{ seq: number }>('SELECT seq FROM last_event')?.seq ?? 0
      this.#lastEvent = { stored, current: stored }
    }
    return this.#lastEvent
  }

  /** To be called before the commit: writes once what all operations have counted. */
  finish(): void {
    const last = this.#lastEvent
    if (last && last.current > last.stored) this.db.run('UPDATE last_event SET seq = ?', last.current)
  }

  /** To be called when the registry has changed. */
  forgetBots(): void {
    this.#bots = undefined
  }

  /** Whether the registry has this bot, so that there is somebody to wait for. */
  has(bot: string): boolean {
    return this.bots.some(({ name }) => name === bot)
  }
}

import { pattern, type Pattern } from '@trigger-hub/core'
import type { Database } from './database.ts'

/** A bot as the registry in the file knows it. */
export interface RegisteredBot {
  readonly name: string
  readonly patterns: readonly Pattern[]
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
  #bots: RegisteredBot[] | undefined

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
      .map(({ name, patterns, cursor }) => ({ name, patterns: compiled(patterns), cursor })))
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

export const hears = (
  { patterns }: Pick<RegisteredBot, 'patterns'>,
  { source, type }: { source: string; type: string },
): boolean => patterns.some((one) => one.matches(source, type))

const known = new Map<string, readonly Pattern[]>()

/** Patterns of a row of the registry, compiled once. */
export function compiled(json: string): readonly Pattern[] {
  let patterns = known.get(json)
  if (!patterns) known.set(json, (patterns = (JSON.parse(json) as string[]).map(pattern)))
  return patterns
}

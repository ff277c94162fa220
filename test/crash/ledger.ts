import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { linesIn } from '../lines.ts'

/** What the sender saw of one request. */
export interface Sent {
  readonly key: string
  readonly type: string
  /** SHA-256 of the body. */
  readonly digest: string
  /** 0 when the connection ended without an answer. */
  readonly status: number
  readonly duplicate: boolean
  /** The event that the answer names. */
  readonly event?: string
  /** It was not signed with the secret. */
  readonly forged?: boolean
}

/** What a bot wrote about one of its runs, and the hub about what became of it. */
export interface Run {
  readonly is: 'started' | 'done' | 'failed' | 'settled' | 'fenced'
  readonly bot: string
  readonly event: string
  readonly attempt: number
  readonly pid: number
  /** Known to the bot alone. */
  readonly key?: string
  readonly digest?: string
  readonly redelivered?: boolean
}

/** A process that was cut off: killed, or stopped for longer than its lease. */
export interface Cut {
  readonly pid: number
}

export interface Buried {
  readonly key: string
  readonly bot: string | null
  readonly reason: string
}

/** All that is known of a run, in the order in which it was written. */
export interface Ledger {
  readonly sent: readonly Sent[]
  readonly runs: readonly Run[]
  readonly cuts: readonly Cut[]
  readonly buried: readonly Buried[]
}

/** Appends lines to a file of this folder, each with one write, so that what was written before a SIGKILL is there. */
export function appender<Line>(folder: string, name: string): (line: Line) => void {
  const file = openSync(join(folder, `${name}.log`), 'a')
  return (line) => void writeSync(file, `${JSON.stringify(line)}\n`)
}

/** Every file of the folder; bots have one each. */
export function readLedger(folder: string): Ledger {
  const lines = <Line>(wanted: (name: string) => boolean): Line[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.log') && wanted(name))
      .flatMap((name) => linesIn(join(folder, name)))
      .map((line) => JSON.parse(line) as Line)
  return {
    sent: lines((name) => name === 'sent.log'),
    runs: lines((name) => name.startsWith('bot-')),
    cuts: lines((name) => name === 'cuts.log'),
    buried: lines((name) => name === 'buried.log'),
  }
}

import type { AttemptRecord, DeadLetter, DeadLetterReason, Delivery, Verdict } from '../words/delivery.ts'
import type { EventRecord } from '../words/event.ts'

/** What a driver honestly offers. Core and the suites read it; nobody looks at a class name. */
export interface Capabilities {
  /** What an accepted event survives: nothing, this machine's power loss, or the loss of a machine. */
  readonly durability: 'none' | 'disk' | 'replicated'
  /** Who may share it: the threads of one process, the processes of one machine, or any machine. */
  readonly reach: 'process' | 'machine' | 'network'
  /** Largest body of an event, in bytes. */
  readonly maxEventBytes: number
}

/** A bot as the registry knows it. */
export interface BotDeclaration {
  readonly name: string
  /** Patterns, `source:type`. */
  readonly on: readonly string[]
}

export interface AcceptOptions {
  /** Tells repeats: hashed, at most 64 characters, its namespace included. Absent: nothing to tell a repeat by. */
  readonly key?: string
  /** SHA-256 of the raw body, base64url. */
  readonly fingerprint: string
  /** Set for an unsigned key: remembered beside the key, to notice the same bytes under another key. */
  readonly replayKey?: string
  /** What to do when `replayKey` is known under another key: accept and mark, or store nothing. Default `'mark'`. */
  readonly onReplay?: 'mark' | 'reject'
  /** How long the key is remembered, milliseconds. */
  readonly ttlMs: number
  /** Unique per call, so that a command that was sent twice recognises its own event. */
  readonly token: string
  /** After this the answer must be there or the promise rejects with `ERR_DRIVER_UNAVAILABLE`. Milliseconds. */
  readonly timeoutMs: number
  /** Put the event into quarantine outright, as for a mismatch. */
  readonly quarantine?: boolean
  /** Attempts already made in the request (`ack: 'sync'`): this bot goes on with attempt `attempts.length + 1`. */
  readonly resume?: {
    readonly bot: string
    readonly attempts: readonly AttemptRecord[]
    readonly afterMs: number
  }
}

/** What became of an accept. Each of these is durable when the promise resolves, except `busy`. */
export type Accepted =
  | { readonly is: 'accepted'; readonly id: string; readonly replaySuspected?: boolean }
  /** The original's id, and how many of its deliveries are dead letters. */
  | { readonly is: 'duplicate'; readonly id: string; readonly deadLetters: number }
  /** Same key, other body: kept in quarantine as a dead letter without a bot. */
  | { readonly is: 'mismatch'; readonly id: string }
  /** Only with `onReplay: 'reject'`: nothing was stored. */
  | { readonly is: 'replay' }
  /** Somebody else is at it and has not finished. */
  | { readonly is: 'busy'; readonly retryAfterMs: number }

/** Runs one attempt and says what becomes of the delivery. Never rejects. */
export type Handle = (delivery: Delivery) => Promise<Verdict>

/** What became of a verdict: carried out, refused because the lease was lost, or not known (connection lost). */
export type Settled = 'settled' | 'fenced' | 'unknown'

export interface ConsumeOptions {
  /** Most attempts of this bot at a time in this process. */
  readonly concurrency: number
  readonly onSettled: (delivery: Delivery, outcome: Settled, verdict: Verdict) => void
  /** Trouble in the background, such as a server out of reach. The driver goes on trying by itself. */
  readonly onError: (error: unknown) => void
}

export interface Subscription {
  /** Stops handing out deliveries, waits up to `deadlineMs` for running ones, then gives the rest back. */
  drain(deadlineMs: number): Promise<void>
}

export interface BotReport {
  readonly name: string
  readonly on: readonly string[]
  /** Events not yet handed to a worker, for this bot. */
  readonly backlog: number
  /** Deliveries that wait for their next attempt. */
  readonly waiting: number
  readonly running: number
  readonly deadLetters: number
}

/** A start-up report: what the driver honestly has. */
export interface Report {
  /** One line for a person. */
  readonly summary: string
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  /** Every bot of the registry, also those that this process does not know. */
  readonly bots: readonly BotReport[]
  /** Accepted events kept that matched no bot when they were accepted. */
  readonly unmatched: number
  readonly quarantined: number
}

export interface DeadLetterFilter {
  readonly bot?: string
  readonly reason?: DeadLetterReason
  /** Id of an event. */
  readonly event?: string
  /** Dead-lettered at or after this instant, epoch milliseconds. */
  readonly since?: number
}

export interface DeadLetterPage {
  /** Id of the last dead letter of the page before. */
  readonly after?: string
  /** 1 to 1,000; default 100. */
  readonly limit?: number
}

export interface DeadLetters {
  /** Oldest first. */
  list(filter?: DeadLetterFilter & DeadLetterPage): Promise<DeadLetter[]>
  read(id: string): Promise<DeadLetter | undefined>
  /**
   * Puts dead letters back as attempt 1, each for its own bot only; a quarantined event goes to every matching bot.
   * @returns how many; 0 for an id that was redriven already
   */
  redrive(which: string | DeadLetterFilter): Promise<number>
  /** Removes them for good. @returns how many */
  discard(which: string | DeadLetterFilter): Promise<number>
}

/**
 * Carries events to bots. Policy is core's: a driver carries out verdicts and decides nothing. It throws
 * `DriverUnavailableError` when its file or server is out of reach and never swallows an error.
 */
export interface Driver {
  /** For logs and reports. */
  readonly name: string
  readonly capabilities: Capabilities
  /** Opens what is needed and writes bots into the registry. A bot sees what is accepted after its first declaration. */
  declare(bots: readonly BotDeclaration[]): Promise<void>
  /** Removes a bot from the registry; its backlog and retries become dead letters with the reason `retired`. */
  retire(bot: string): Promise<void>
  inspect(): Promise<Report>
  /** Stores the event for every matching bot, once per key. Resolves when it is durable. */
  accept(event: EventRecord, options: AcceptOptions): Promise<Accepted>
  /** Resolves once the bot consumes. Events come in the order of acceptance, retries when they are due. */
  consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription>
  readonly deadLetters: DeadLetters
  /** Stops, closes what it opened. Safe to call twice, and while opening. */
  close(): Promise<void>
}

import { randomUUID } from 'node:crypto'
import type { Clock } from '@trigger-hub/core'
import type { DatabaseThread } from './database-thread.ts'

export interface SessionOptions {
  readonly thread: DatabaseThread
  readonly clock: Clock
  readonly leaseMs: number
  /** The lease has run out: what was handed out under it may be running elsewhere. */
  readonly onLost: () => void
}

/**
 * This process's lease on all that it runs. It begins with the first delivery asked for, is renewed three times a
 * lease, and a new one begins when it was lost.
 */
export class Session {
  readonly #options: SessionOptions
  #id: string | undefined
  #beginning: Promise<string> | undefined
  #expiresAt = 0
  #cancel: (() => void) | undefined
  #isEnded = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** The id under which deliveries are handed out now. */
  async id(): Promise<string> {
    return this.#id ?? (this.#beginning ??= this.#begin().finally(() => (this.#beginning = undefined)))
  }

  /** Whether the lease still ran a moment ago. A process that was stopped meanwhile must not begin what it was given. */
  get isLive(): boolean {
    return this.#id !== undefined && this.#options.clock.monotonicMs() < this.#expiresAt
  }

  /** To be called when the file says that a session is not known any more. */
  lost(id: string): void {
    if (id !== this.#id) return
    this.#id = undefined
    this.#cancel?.()
    this.#options.onLost()
  }

  /** Gives back what it still runs. */
  async end(): Promise<void> {
    this.#isEnded = true
    this.#cancel?.()
    const session = this.#id ?? (await this.#beginning?.catch(() => undefined))
    this.#cancel?.()
    this.#id = undefined
    if (session !== undefined) await this.#options.thread.call('endSession', { session })
  }

  async #begin(): Promise<string> {
    const id = randomUUID()
    await this.#renew(id, true)
    this.#id = id
    return id
  }

  async #renew(session: string, begin: boolean): Promise<void> {
    const { thread, clock, leaseMs } = this.#options
    const askedAt = clock.monotonicMs()
    const { held, nextExpiryMs } = await thread.call('renewSession', {
      session,
      leaseMs,
      pid: process.pid,
      begin,
    })
    if (!held) return this.lost(session)
    this.#expiresAt = askedAt + leaseMs
    // at the latest when another session would run out, so that its deliveries come back without delay
    this.#schedule(session, Math.min(leaseMs / 3, (nextExpiryMs ?? Infinity) + 1))
  }

  #schedule(session: string, ms: number): void {
    if (this.#isEnded) return
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#renew(session, false).catch(() => {
        const { clock, leaseMs } = this.#options
        if (clock.monotonicMs() >= this.#expiresAt) this.lost(session)
        else this.#schedule(session, leaseMs / 10)
      })
    })
  }
}

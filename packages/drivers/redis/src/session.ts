import { randomUUID } from 'node:crypto'
import type { Clock } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'
import { endScript, renewScript } from './scripts/deliveries.ts'

export interface SessionOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly leaseMs: number
  /** The lease has run out: what was handed out under it may be running elsewhere. */
  readonly onLost: () => void
}

/**
 * This process's lease on all that it runs, by the clock of the server. It begins with the first delivery asked for, is
 * renewed three times a lease, and a new one begins when it was lost.
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

  /** To be called when the server says that a session is over. */
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
    const id = this.#id ?? (await this.#beginning?.catch(() => undefined))
    this.#cancel?.()
    this.#id = undefined
    if (id !== undefined) await this.#options.connection.run(endScript, [id], patienceMs)
  }

  async #begin(): Promise<string> {
    const id = randomUUID()
    await this.#renew(id, true)
    this.#id = id
    return id
  }

  async #renew(id: string, begins: boolean): Promise<void> {
    const { connection, clock, leaseMs } = this.#options
    const askedAt = clock.monotonicMs()
    const answer = await connection.run(
      renewScript,
      [id, leaseMs, begins ? 1 : 0],
      Math.min(patienceMs, leaseMs),
    )
    const [isHeld, nextExpiryMs] = answer as [number, number]
    if (isHeld === 0) return this.lost(id)
    this.#expiresAt = askedAt + leaseMs
    // at the latest when another session would run out, so that its deliveries come back without delay
    this.#renewIn(id, nextExpiryMs < 0 ? leaseMs / 3 : Math.min(leaseMs / 3, nextExpiryMs + 1))
  }

  #renewIn(id: string, ms: number): void {
    if (this.#isEnded) return
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#renew(id, false).catch(() => {
        const { clock, leaseMs } = this.#options
        if (clock.monotonicMs() >= this.#expiresAt) this.lost(id)
        else this.#renewIn(id, leaseMs / 10)
      })
    })
  }
}

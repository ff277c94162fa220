import { randomUUID } from 'node:crypto'
import type { Clock } from '../words/clock.ts'
import { keepLease, type KeptLease } from './keep-lease.ts'

export interface SessionOptions {
  readonly clock: Clock
  readonly leaseMs: number
  /** Prolongs the lease of this session, or begins it, and takes back what sessions ran whose lease is over. */
  readonly renew: (id: string, begins: boolean) => Promise<RenewedSession>
  /** Gives back what this session still runs. */
  readonly end: (id: string) => Promise<unknown>
  /** The lease has run out: what was handed out under it may be running elsewhere. */
  readonly onLost: () => void
}

export interface RenewedSession {
  readonly isHeld: boolean
  /** When the next other session's lease runs out if nobody renews it, milliseconds; undefined when there is none. */
  readonly nextExpiryMs: number | undefined
}

/**
 * A process's lease on all that it runs, for a driver that keeps it. It begins with the first delivery asked for and is
 * renewed three times a lease; when it was lost, a new one begins.
 */
export class Session {
  readonly #options: SessionOptions
  #current: { readonly id: string; readonly lease: KeptLease } | undefined
  #beginning: Promise<string> | undefined
  #cancelLook: () => void = () => undefined
  #isEnded = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** The id under which deliveries are handed out now. */
  async id(): Promise<string> {
    return (
      this.#current?.id ?? (this.#beginning ??= this.#begin().finally(() => (this.#beginning = undefined)))
    )
  }

  /** Whether its lease runs. What was handed out to a process that was stopped until it ran out must not begin. */
  isLive(id: string): boolean {
    return this.#current?.id === id && this.#current.lease.isLive
  }

  /** To be called when it is known that a session is over. */
  lost(id: string): void {
    if (id !== this.#current?.id) return
    this.#stop()
    this.#options.onLost()
  }

  /** Gives back what it still runs. */
  async end(): Promise<void> {
    this.#isEnded = true
    const id = this.#current?.id ?? (await this.#beginning?.catch(() => undefined))
    this.#stop()
    if (id !== undefined) await this.#options.end(id)
  }

  async #begin(): Promise<string> {
    const { clock, leaseMs } = this.#options
    const id = randomUUID()
    const askedAt = clock.monotonicMs()
    await this.#renew(id, true)
    const renew = (): Promise<boolean> => this.#renew(id, false)
    const lease = keepLease({ leaseMs, clock, askedAt, renew, onLost: () => this.lost(id) })
    this.#current = { id, lease }
    return id
  }

  async #renew(id: string, begins: boolean): Promise<boolean> {
    const { isHeld, nextExpiryMs } = await this.#options.renew(id, begins)
    if (isHeld) this.#lookIn((nextExpiryMs ?? Infinity) + 1, id)
    return isHeld
  }

  /** When another session's lease runs out, so that its deliveries come back without delay; if no renewal is before. */
  #lookIn(ms: number, id: string): void {
    const { clock, leaseMs } = this.#options
    this.#cancelLook()
    if (this.#isEnded || ms >= leaseMs / 3) return
    this.#cancelLook = clock.after(ms, () => {
      this.#renew(id, false).then(
        (isHeld) => {
          if (!isHeld) this.lost(id)
        },
        () => undefined, // the next renewal looks again
      )
    })
  }

  #stop(): void {
    this.#current?.lease.stop()
    this.#current = undefined
    this.#cancelLook()
  }
}

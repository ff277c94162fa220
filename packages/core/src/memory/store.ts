import { randomUUID } from 'node:crypto'
import type { Claim, Held, Shared, Store, StoredReply, Trace, TracedClaimOptions } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import { WebhookError } from '../words/errors.ts'
import { ExpiringMap } from './expiring-map.ts'

interface Holder {
  /** Undefined when nobody holds the key and only notes are kept. */
  readonly token: string | undefined
  readonly fingerprint: string
  readonly leasedUntil: number
  readonly trace: Trace | undefined
  /** Of earlier holders. */
  readonly notes: readonly string[]
}

interface Finished {
  readonly fingerprint: string
  readonly reply: StoredReply
}

/** Keys in maps of this process. No call waits inside, so each is one atomic step by nature. */
export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly capabilities: Store['capabilities'] = { durability: 'none', reach: 'process' }
  readonly #clock: Clock
  readonly #holders: ExpiringMap<Holder>
  readonly #finished: ExpiringMap<Finished>
  readonly #shared = new Map<string, Shared>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#holders = new ExpiringMap(() => clock.monotonicMs())
    this.#finished = new ExpiringMap(() => clock.now())
  }

  async claim(
    key: string,
    fingerprint: string,
    { leaseMs, trace, token = randomUUID() }: TracedClaimOptions,
  ): Promise<Claim> {
    this.#whileOpen()
    const finished = this.#finished.get(key)
    const holder = this.#holders.get(key)
    const known = finished ?? holder
    if (known && known.fingerprint !== fingerprint) return { is: 'mismatch' }
    if (finished) return { is: 'completed', reply: finished.reply }
    if (holder?.token === token) {
      this.#hold(key, holder, leaseMs)
      return { is: 'claimed', key, token, before: holder.notes }
    }
    const leftMs = holder?.token === undefined ? 0 : holder.leasedUntil - this.#clock.monotonicMs()
    if (leftMs > 0) return { is: 'in-flight', retryAfterMs: leftMs }
    const before = holder ? notesOf(holder) : []
    this.#hold(key, { token, fingerprint, trace, notes: before }, leaseMs)
    return { is: 'claimed', key, token, before }
  }

  async renew(held: Held, leaseMs: number): Promise<boolean> {
    const holder = this.#holderOf(held)
    if (holder) this.#hold(held.key, holder, leaseMs)
    return holder !== undefined
  }

  async complete(held: Held, reply: StoredReply, ttlMs: number): Promise<boolean> {
    const holder = this.#holderOf(held)
    if (!holder) return false
    this.#holders.delete(held.key)
    this.#finished.set(held.key, { fingerprint: holder.fingerprint, reply }, ttlMs)
    return true
  }

  async release(held: Held, note?: string): Promise<boolean> {
    const holder = this.#holderOf(held)
    if (!holder) return false
    const notes = note === undefined ? holder.notes : [...holder.notes, note]
    if (notes.length === 0) this.#holders.delete(held.key)
    else this.#hold(held.key, { ...holder, token: undefined, notes }, 0)
    return true
  }

  async shared(name: string): Promise<Shared | undefined> {
    this.#whileOpen()
    return this.#shared.get(name)
  }

  async share(name: string, text: string, version: string | undefined): Promise<boolean> {
    this.#whileOpen()
    if (this.#shared.get(name)?.version !== version) return false
    this.#shared.set(name, { text, version: randomUUID() })
    return true
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** How many claims for this bot are held, and how many were released with a note. */
  protected claimsFor(bot: string | null): { held: number; left: number } {
    this.#whileOpen()
    const holders = [...this.#holders.values()].filter(({ trace }) => trace?.bot === bot)
    const held = holders.filter(({ token }) => token !== undefined).length
    return { held, left: holders.length - held }
  }

  #hold(key: string, holder: Omit<Holder, 'leasedUntil'>, leaseMs: number): void {
    const leasedUntil = this.#clock.monotonicMs() + leaseMs
    this.#holders.set(key, { ...holder, leasedUntil }, leaseMs + (holder.trace?.keepMs ?? 0))
  }

  #holderOf({ key, token }: Held): Holder | undefined {
    this.#whileOpen()
    const holder = this.#holders.get(key)
    return holder?.token === token ? holder : undefined
  }

  #whileOpen(): void {
    if (this.#closed) throw new WebhookError('ERR_STORE_UNAVAILABLE', 'The memory store is closed.')
  }
}

/** A holder that is gone has left its note. */
const notesOf = ({ token, trace, notes }: Holder): readonly string[] =>
  token !== undefined && trace ? [...notes, trace.note] : notes

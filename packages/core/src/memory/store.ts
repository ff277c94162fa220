import { randomUUID } from 'node:crypto'
import type { Claim, Held, Store, StoredReply } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import { WebhookError } from '../words/errors.ts'
import { ExpiringMap } from './expiring-map.ts'

interface Holder {
  readonly token: string
  readonly fingerprint: string
  readonly leasedUntil: number
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
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#holders = new ExpiringMap(() => clock.monotonicMs())
    this.#finished = new ExpiringMap(() => clock.now())
  }

  async claim(key: string, fingerprint: string, { leaseMs }: { leaseMs: number }): Promise<Claim> {
    this.#whileOpen()
    const known = this.#finished.get(key) ?? this.#holders.get(key)
    if (!known) {
      const token = randomUUID()
      this.#hold(key, { token, fingerprint }, leaseMs)
      return { is: 'claimed', key, token }
    }
    if (known.fingerprint !== fingerprint) return { is: 'mismatch' }
    if ('reply' in known) return { is: 'completed', reply: known.reply }
    return { is: 'in-flight', retryAfterMs: known.leasedUntil - this.#clock.monotonicMs() }
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

  async release(held: Held): Promise<boolean> {
    const holder = this.#holderOf(held)
    if (holder) this.#holders.delete(held.key)
    return holder !== undefined
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #hold(key: string, { token, fingerprint }: Omit<Holder, 'leasedUntil'>, leaseMs: number): void {
    this.#holders.set(key, { token, fingerprint, leasedUntil: this.#clock.monotonicMs() + leaseMs }, leaseMs)
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

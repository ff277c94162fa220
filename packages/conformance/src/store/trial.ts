import { createHash, randomUUID } from 'node:crypto'
import type { Claim, Clock, Held, Store } from '@trigger-hub/core'
import { TrialTime, type TimeOptions } from '../time.ts'

/** What a suite asks of a store that it wants to have. */
export interface StoreSetting {
  /** Names the backend, `[a-z0-9-]{1,40}`: two stores that are made with one name share it, others never meet. */
  readonly name: string
  readonly clock: Clock
}

/** Makes a store. Called again with the same name while the first is in use, if `reach` is not `'process'`. */
export type MakeStore = (setting: StoreSetting) => Store | Promise<Store>

/** How time passes for the stores. */
export type StoreSuiteOptions = TimeOptions

export const leaseMs = 2_000
export const ttlMs = 86_400_000

/** What one case works with: a backend of its own, stores on it, keys and time. */
export class StoreTrial {
  readonly time: TrialTime
  readonly #make: MakeStore
  readonly #name = `trial-${randomUUID().slice(0, 18)}`
  readonly #stores: Store[] = []

  private constructor(make: MakeStore, options: StoreSuiteOptions) {
    this.#make = make
    this.time = new TrialTime(options)
  }

  static async run(
    make: MakeStore,
    options: StoreSuiteOptions,
    body: (trial: StoreTrial) => Promise<void>,
  ): Promise<void> {
    const trial = new StoreTrial(make, options)
    try {
      await trial.open()
      await body(trial)
    } finally {
      const closes = trial.#stores.map((store) => store.close())
      await trial.time
        .settled('the close at the end of the case', Promise.all(closes))
        .finally(() => trial.time.stop())
    }
  }

  get store(): Store {
    const [first] = this.#stores
    if (!first) throw new Error('No store was made.')
    return first
  }

  /** True when another store can be opened on the same backend. */
  get isShared(): boolean {
    return this.store.capabilities.reach !== 'process'
  }

  get isDurable(): boolean {
    return this.store.capabilities.durability !== 'none'
  }

  /** One more store on the backend of this trial. */
  async open(): Promise<Store> {
    const store = await this.#make({ name: this.#name, clock: this.time.clock() })
    this.#stores.push(store)
    return store
  }

  claim(key: string, { fingerprint = 'same', lease = leaseMs, store = this.store } = {}): Promise<Claim> {
    return store.claim(hashed(key), fingerprint, { leaseMs: lease, timeoutMs: 5_000 })
  }

  /** Claims a key that must be free. */
  async held(key: string, options?: Parameters<StoreTrial['claim']>[1]): Promise<Held> {
    const claim = await this.claim(key, options)
    if (claim.is !== 'claimed') throw new Error(`The key should be free and is ${claim.is}.`)
    return { key: claim.key, token: claim.token }
  }
}

/** A key as core writes it: 43 characters of base64url. */
export const hashed = (key: string): string => createHash('sha256').update(key).digest('base64url')

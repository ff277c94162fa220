import {
  DriverUnavailableError,
  keyName,
  type BotDeclaration,
  type Clock,
  type CompanionStore,
} from '@trigger-hub/core'
import { keepLease, Registry, type RegisteredBot } from '@trigger-hub/core/split'
import type { Link } from './link.ts'
import { bindingKeys, type Names } from './names.ts'
import { patienceMs } from './patience.ts'
import type { Topology } from './topology.ts'

export interface BotsOptions {
  readonly store: CompanionStore
  readonly clock: Clock
  readonly topology: Topology
  readonly link: Link
}

const lockLeaseMs = 5_000

/**
 * The bots that there are, in the store, and their queues, on the server. A queue is there and bound before the registry
 * has its bot; what changes both is done by one process at a time.
 */
export class Bots extends Registry {
  readonly names: Names
  readonly #options: BotsOptions

  constructor(options: BotsOptions) {
    super(options.store)
    this.#options = options
    this.names = options.topology.names
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    const { topology, link } = this.#options
    const connection = await link.connection()
    await this.load()
    const isKnown = ({ name, on }: BotDeclaration): boolean =>
      this.active.some((known) => known.name === name && sameTexts(known.on, on))
    if (bots.every(isKnown)) {
      await topology.makeBots(connection, bots)
      await this.load()
      if (bots.every(isKnown)) return // otherwise somebody has taken one out meanwhile
    }
    await this.#alone(async () => {
      let before: readonly RegisteredBot[] = []
      await this.update(async (current) => {
        before = current
        await topology.makeBots(connection, bots)
        const declared = new Map(bots.map((bot) => [bot.name, { name: bot.name, on: bot.on }]))
        const kept = current.map((bot) => take(declared, bot.name) ?? bot)
        return [...kept, ...declared.values()]
      })
      for (const bot of bots) {
        const keys = new Set(bindingKeys(bot))
        const old = before.find(({ name }) => name === bot.name)
        const gone = old ? bindingKeys(old).filter((key) => !keys.has(key)) : []
        if (gone.length > 0) await topology.unbind(connection, bot.name, gone)
      }
    })
  }

  /** Takes a bot out. @returns false when there is no such bot */
  async retire(bot: string): Promise<boolean> {
    let isThere = false
    await this.update((current) => {
      isThere = current.some(({ name }) => name === bot)
      return current.map((known) => (known.name === bot ? { ...known, isRetired: true } : known))
    })
    return isThere
  }

  /** Sees to it that nothing new comes to a bot that was retired, and that no queue is left of one that is no more. */
  async detach(bot: string): Promise<void> {
    const { topology, link } = this.#options
    const connection = await link.connection()
    await this.#alone(async () => {
      const known = (await this.load()).find(({ name }) => name === bot)
      if (!known) await topology.removeBot(connection, bot)
      else if (known.isRetired) await topology.detach(connection, known)
    })
  }

  /** Removes the queues of a retired bot. To be called when they are empty. */
  async remove(bot: string): Promise<void> {
    const { topology, link } = this.#options
    const connection = await link.connection()
    await this.#alone(async () => {
      await this.load()
      if (!this.retired.some(({ name }) => name === bot)) return // it was declared again
      await topology.removeBot(connection, bot)
      await this.update((current) => current.filter(({ name, isRetired }) => name !== bot || !isRetired))
    })
  }

  /** Makes sure that the queues of a bot are there. */
  async ensure(bot: string): Promise<void> {
    await this.load()
    await this.#make(this.active.filter(({ name }) => name === bot))
  }

  /** Makes again everything that should be there. */
  async repair(): Promise<void> {
    const { topology, link } = this.#options
    const connection = await link.connection()
    await topology.prepare(connection)
    await this.load()
    await this.#make(this.active)
  }

  /** Makes queues; takes back those of a bot that somebody has retired meanwhile. */
  async #make(bots: readonly BotDeclaration[]): Promise<void> {
    const { topology, link } = this.#options
    await topology.makeBots(await link.connection(), bots)
    await this.load()
    for (const { name } of bots) if (!this.has(name)) await this.detach(name)
  }

  /** Does something that no other process does at the same time. */
  async #alone<T>(task: () => Promise<T>): Promise<T> {
    const { store, clock } = this.#options
    const key = keyName('rabbitmq', 'topology')
    const options = { leaseMs: lockLeaseMs, timeoutMs: patienceMs }
    for (const until = performance.now() + 2 * lockLeaseMs; performance.now() < until;) {
      const claim = await store.claim(key, '', options)
      if (claim.is === 'claimed') {
        const renew = (): Promise<boolean> => store.renew(claim, lockLeaseMs)
        const lease = keepLease({ leaseMs: lockLeaseMs, clock, renew })
        return task().finally(() => {
          lease.stop()
          return store.release(claim).catch(() => undefined)
        })
      }
      await new Promise((resume) => setTimeout(resume, 20))
    }
    throw new DriverUnavailableError('rabbitmq', 'another process has been declaring bots for a long time.')
  }
}

const sameTexts = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((text, nth) => text === others[nth])

function take<Key, Value>(map: Map<Key, Value>, key: Key): Value | undefined {
  const value = map.get(key)
  map.delete(key)
  return value
}

import type {
  Accepted,
  AcceptOptions,
  Delivery,
  Driver,
  EventRecord,
  Settled,
  Verdict,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { MakeDriver } from '../driver/trial.ts'

/** A part with one defect, and the cases of its suite that must fail on it. */
export interface Broken<Make> {
  readonly make: Make
  readonly fails: readonly string[]
}

/** What a driver is to do otherwise than the one that it wraps. */
export interface Changes {
  readonly driver?: Partial<Driver>
  readonly accept?: (event: EventRecord, options: AcceptOptions) => Promise<Accepted>
  /** The delivery as the handler gets it. */
  readonly delivery?: (delivery: Delivery) => Delivery
  /** The verdict as it is carried out. */
  readonly verdict?: (verdict: Verdict, delivery: Delivery) => Verdict | Promise<Verdict>
  readonly concurrency?: (asked: number) => number
  readonly deadlineMs?: (asked: number) => number
  readonly outcome?: (outcome: Settled) => Settled
}

const same = <T>(value: T): T => value

/** The memory driver, changed. */
export const changed =
  (changes: (sound: Driver) => Changes): MakeDriver =>
  ({ clock }) =>
    withChanges(memory({ clock }), changes)

export function withChanges(sound: Driver, changes: (sound: Driver) => Changes): Driver {
  const {
    delivery = same,
    verdict = same,
    concurrency = same,
    deadlineMs = same,
    outcome = same,
    ...rest
  } = changes(sound)
  return {
    name: 'broken',
    capabilities: sound.capabilities,
    deadLetters: sound.deadLetters,
    declare: (bots) => sound.declare(bots),
    retire: (bot) => sound.retire(bot),
    inspect: () => sound.inspect(),
    accept: rest.accept ?? ((event, options) => sound.accept(event, options)),
    async consume(bot, options, handle) {
      const subscription = await sound.consume(
        bot,
        {
          ...options,
          concurrency: concurrency(options.concurrency),
          onSettled: (given, was, what) => options.onSettled(given, outcome(was), what),
        },
        async (given) => verdict(await handle(delivery(given)), given),
      )
      return { drain: (asked) => subscription.drain(deadlineMs(asked)) }
    },
    close: () => sound.close(),
    ...rest.driver,
  }
}

import type { DeadLetterFilter, DeadLetters } from '../ports/driver.ts'
import type { CompanionStore } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import type { DeadLetter } from '../words/delivery.ts'

/**
 * Publishes a dead letter's event again, for its own bot or, out of quarantine, for all that want it, with the id of the
 * letter as its generation.
 * @returns false when there is no such bot any more
 */
export type Redeliver = (letter: DeadLetter) => Promise<boolean>

const pageSize = 100

/**
 * The dead letters of a driver whose broker keeps none: they are in its store. A redrive publishes before it removes the
 * letter; the inbox runs each generation once, so one that was cut off in between can be done again.
 */
export function splitDeadLetters(store: CompanionStore, redeliver: Redeliver, clock: Clock): DeadLetters {
  const { deadLetters } = store

  /** Those that are there now: one that dies again meanwhile is not redriven once more. */
  async function* chosen(which: string | DeadLetterFilter): AsyncGenerator<DeadLetter> {
    if (typeof which === 'string') {
      const letter = await deadLetters.read(which)
      if (letter) yield letter
      return
    }
    const until = clock.now()
    for (let after: string | undefined; ;) {
      const page = await deadLetters.list({
        ...which,
        limit: pageSize,
        ...(after === undefined ? {} : { after }),
      })
      yield* page.filter(({ at }) => at <= until)
      after = page.at(-1)?.id
      if (after === undefined) return
    }
  }

  return {
    list: (filter) => deadLetters.list(filter),
    read: (id) => deadLetters.read(id),
    discard: (which) => deadLetters.discard(which),
    async redrive(which) {
      let count = 0
      for await (const letter of chosen(which)) {
        if (await redeliver(letter)) count += await deadLetters.discard(letter.id)
      }
      return count
    },
  }
}

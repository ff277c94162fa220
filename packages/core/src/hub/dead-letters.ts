import type { DeadLetterFilter, DeadLetters, Driver } from '../ports/driver.ts'
import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'

const ofAFilter = ['bot', 'reason', 'event', 'since'] satisfies (keyof DeadLetterFilter)[]

/** A condition that is misspelt would be none, and all dead letters would be meant. */
const check = (filter: object, more: readonly string[] = []): void =>
  knownOptions('A filter of dead letters', filter, [...ofAFilter, ...more])

/** A condition without a value, such as one that a request should have named, would be none as well. */
function checkWhich(which: string | DeadLetterFilter): void {
  if (typeof which === 'string') return
  check(which)
  for (const [name, value] of Object.entries(which)) {
    if (value !== undefined) continue
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `A filter of dead letters has "${name}" without a value: leave "${name}" out if all are meant.`,
    )
  }
}

/**
 * The dead letters of a driver that is opened when they are first asked for.
 * @throws SetupError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID` for a filter that is none
 */
export const deadLettersOf = (open: () => Promise<Driver>): DeadLetters => ({
  async list(filter = {}) {
    check(filter, ['after', 'limit'])
    return (await open()).deadLetters.list(filter)
  },
  async read(id) {
    return (await open()).deadLetters.read(id)
  },
  async redrive(which) {
    checkWhich(which)
    return (await open()).deadLetters.redrive(which)
  },
  async discard(which) {
    checkWhich(which)
    return (await open()).deadLetters.discard(which)
  },
})

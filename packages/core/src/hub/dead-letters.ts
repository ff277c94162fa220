import type { DeadLetterFilter, DeadLetters, Driver } from '../ports/driver.ts'
import type { DeadLetterReason } from '../words/delivery.ts'
import { SetupError } from '../words/errors.ts'
import { invalidOption, knownOptions, oneOf, textOf, wholeNumber } from '../words/options.ts'

const ofAFilter = ['bot', 'reason', 'event', 'since'] satisfies (keyof DeadLetterFilter)[]

const reasons = ['exhausted', 'permanent', 'schema', 'retired', 'key-reused'] satisfies DeadLetterReason[]

/** A condition that is misspelt, or not of its kind, would be none or let nothing through; all dead letters could be meant. */
function check(filter: DeadLetterFilter, more: readonly string[] = []): void {
  knownOptions('A filter of dead letters', filter, [...ofAFilter, ...more])
  const { bot, reason, event, since } = filter
  if (bot !== undefined) textOf('bot', bot)
  if (reason !== undefined) oneOf('reason', reason, reasons)
  if (event !== undefined) textOf('event', event)
  if (since !== undefined && !Number.isFinite(since)) {
    throw invalidOption('since', since, 'epoch milliseconds, such as Date.now() - 3_600_000')
  }
}

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
    const { after, limit = 100 } = filter
    if (after !== undefined) textOf('after', after)
    wholeNumber('limit', limit, [1, 1_000])
    return (await open()).deadLetters.list(filter)
  },
  async read(id) {
    return (await open()).deadLetters.read(textOf('id', id))
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

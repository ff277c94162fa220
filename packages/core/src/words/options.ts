import { SetupError } from './errors.ts'

/** True for an object that is no list. */
export const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  return Array.isArray(value) ? 'a list' : 'an object'
}

/** How a wrong value reads in a message. What is made of several values may hold a secret, so its kind alone is told. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  return ['number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : kindOf(value)
}

/**
 * The error for an option with a value that it cannot have.
 * @param use  what it takes, such as `'a whole number from 1'`
 */
export const invalidOption = (option: string, value: unknown, use: string): SetupError =>
  new SetupError('ERR_OPTION_INVALID', `Option "${option}" is ${shown(value)}: use ${use}.`)

/**
 * What was given as options, if it is an object.
 * @param takes  a sentence about what belongs into it
 * @throws SetupError `ERR_OPTION_INVALID`
 */
export function optionsOf<Options extends object>(owner: string, options: Options, takes = ''): Options {
  if (isRecord(options)) return options
  throw new SetupError(
    'ERR_OPTION_INVALID',
    `${owner} wants its options in an object, not ${kindOf(options)}.${takes}`,
  )
}

/**
 * Refuses an option that nobody reads, so that a misspelt one is not silently ignored, and what holds no options at all.
 * @throws SetupError `ERR_OPTION_UNKNOWN` and `ERR_OPTION_INVALID`, which name the known ones
 */
export function knownOptions(owner: string, options: object, known: readonly string[]): void {
  const takes = ` It takes: ${[...known].sort().join(', ')}.`
  for (const name of Object.keys(optionsOf(owner, options, takes))) {
    if (known.includes(name)) continue
    throw new SetupError('ERR_OPTION_UNKNOWN', `${owner} has no option "${name}".${takes}`)
  }
}

/**
 * The word that was given, or the truth value, if it is one of these.
 * @throws SetupError `ERR_OPTION_INVALID`, which names them
 */
export function oneOf<const T extends string | boolean>(
  option: string,
  value: unknown,
  values: readonly T[],
): T {
  const found = values.find((one) => one === value)
  if (found !== undefined) return found
  const words = values.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)))
  throw invalidOption(option, value, words.join(' or '))
}

/**
 * The text that was given, if it has the form. Other values are not made into text: that of null would be `'null'`.
 * @throws SetupError `ERR_OPTION_INVALID`, which says what to use
 */
export function textOf(option: string, value: unknown, form = /./s, use = 'text'): string {
  if (typeof value === 'string' && form.test(value)) return value
  throw invalidOption(option, value, use)
}

/**
 * The whole number that was given, if it is between these.
 * @throws SetupError `ERR_OPTION_INVALID`, which names them
 */
export function wholeNumber(
  option: string,
  value: unknown,
  [least, most]: readonly [least: number, most?: number],
): number {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= (most ?? Infinity))
    return Number(value)
  throw invalidOption(option, value, `a whole number from ${least}${most === undefined ? '' : ` to ${most}`}`)
}

/**
 * The function that was given, if it is one.
 * @throws SetupError `ERR_OPTION_INVALID`, which says what to use
 */
export function callable<F>(option: string, value: F, use = 'a function'): F {
  if (typeof value === 'function') return value
  throw invalidOption(option, value, use)
}

/**
 * The part that was given, if it has the method. One that was not called, or is still a promise, would be missed at the
 * first request only.
 * @param such  what makes such parts
 * @throws SetupError `ERR_OPTION_INVALID`
 */
export function able<Part>(option: string, part: Part, method: string, such: string): Part {
  if (typeof (part as Record<string, unknown> | null | undefined)?.[method] === 'function') return part
  throw new SetupError('ERR_OPTION_INVALID', `Option "${option}" is no ${option}: give what ${such} returns.`)
}

import { SetupError } from './errors.ts'

/**
 * Refuses an option that nobody reads, so that a misspelt one is not silently ignored, and what holds no options at all.
 * @throws SetupError `ERR_OPTION_UNKNOWN` and `ERR_OPTION_INVALID`, which name the known ones
 */
export function knownOptions(owner: string, options: object, known: readonly string[]): void {
  const takes = `It takes: ${[...known].sort().join(', ')}.`
  const given: unknown = options
  if (typeof given !== 'object' || given === null) {
    const kind = given === undefined || given === null ? String(given) : `a ${typeof given}`
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `${owner} wants its options in an object, not ${kind}. ${takes}`,
    )
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new SetupError('ERR_OPTION_UNKNOWN', `${owner} has no option "${name}". ${takes}`)
  }
}

/**
 * The word that was given, if it is one of these.
 * @throws SetupError `ERR_OPTION_INVALID`, which names them
 */
export function oneOf<T extends string>(option: string, value: unknown, values: readonly T[]): T {
  const found = values.find((one) => one === value)
  if (found !== undefined) return found
  throw new SetupError(
    'ERR_OPTION_INVALID',
    `Option "${option}" is ${JSON.stringify(value)}: use ${values.map((one) => `'${one}'`).join(' or ')}.`,
  )
}

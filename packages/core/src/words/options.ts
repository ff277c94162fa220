import { SetupError } from './errors.ts'

/**
 * Refuses an option that nobody reads, so that a misspelt one is not silently ignored.
 * @throws SetupError `ERR_OPTION_UNKNOWN`, which names the known ones
 */
export function knownOptions(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new SetupError(
      'ERR_OPTION_UNKNOWN',
      `${owner} has no option "${name}". It takes: ${[...known].sort().join(', ')}.`,
    )
  }
}

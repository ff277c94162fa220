import { invalidOption } from './options.ts'

/** A duration: milliseconds as a number, or text such as `'500ms'`, `'30s'`, `'5m'`, `'24h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** A size: bytes as a number, or text such as `'512b'`, `'64kb'`, `'1mb'`, `'1gb'` (1 kb is 1,024 bytes). */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizeUnits = { b: 1, kb: 1_024, mb: 1_024 ** 2, gb: 1_024 ** 3 }

function amount(value: unknown, option: string, units: Record<string, number>, example: string): number {
  const text = /^(\d{1,12}(?:\.\d{1,3})?)([a-z]{1,2})$/.exec(typeof value === 'string' ? value : '')
  const number = typeof value === 'number' ? value : Number(text?.[1]) * (units[text?.[2] ?? ''] ?? NaN)
  if (Number.isFinite(number) && number >= 0 && number <= Number.MAX_SAFE_INTEGER) return Math.round(number)
  throw invalidOption(option, value, `a number or text such as ${example}`)
}

const durationMs = (value: unknown, option: string): number =>
  amount(value, option, durationUnits, `'500ms', '30s', '24h'`)

/**
 * Milliseconds of a duration that a person wrote.
 * @param within  the shortest that will do, and the longest
 * @throws SetupError `ERR_OPTION_INVALID`, which names the option
 */
export function milliseconds(
  value: Duration,
  option: string,
  [least, most]: readonly [least: Duration, most?: Duration] = [0],
): number {
  const ms = durationMs(value, option)
  const isWithin = ms >= durationMs(least, option) && (most === undefined || ms <= durationMs(most, option))
  if (isWithin) return ms
  throw invalidOption(option, value, most === undefined ? `at least '${least}'` : `'${least}' to '${most}'`)
}

/**
 * Bytes of a size that a person wrote.
 * @param least  the smallest that will do
 * @throws SetupError `ERR_OPTION_INVALID`, which names the option
 */
export function bytes(value: Size, option: string, least = 0): number {
  const size = amount(value, option, sizeUnits, `'64kb', '1mb'`)
  if (size >= least) return size
  throw invalidOption(option, value, `at least '${least}b'`)
}

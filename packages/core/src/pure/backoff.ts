import { milliseconds, type Duration } from '../words/amounts.ts'
import type { SetupError } from '../words/errors.ts'
import { invalidOption, knownOptions, wholeNumber } from '../words/options.ts'

export interface RetryOptions {
  /** Attempts after the first one, 0 to 1,000. Default 3, or as many as an explicit schedule has. */
  retries?: number
  /** `'exponential'` (default) doubles `base`, `'fixed'` repeats it, a list gives each wait. */
  schedule?: 'exponential' | 'fixed' | readonly Duration[]
  /** The wait before the second attempt. Default `'1s'`. */
  base?: Duration
  /** Longest wait, also for what a `RetryAfterError` asks for. Default `'1h'`. */
  max?: Duration
  /** Part of each wait that is random: 0 (default) is none, 1 is anything from nothing to the whole wait. */
  jitter?: number
}

/** A checked retry policy. Durations in milliseconds. */
export interface RetryPolicy {
  readonly retries: number
  readonly schedule: 'exponential' | 'fixed' | readonly number[]
  readonly baseMs: number
  readonly maxMs: number
  readonly jitter: number
}

/** What a policy is written with. */
export const retryOptions = ['retries', 'schedule', 'base', 'max', 'jitter'] satisfies (keyof RetryOptions)[]

/**
 * Checks what a person wrote about retries.
 * @throws SetupError `ERR_OPTION_INVALID` or `ERR_OPTION_UNKNOWN`
 */
export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  knownOptions('retry', options, retryOptions)
  const { schedule = 'exponential', base = '1s', max = '1h', jitter = 0 } = options
  const waits = Array.isArray(schedule)
    ? (schedule as readonly Duration[]).map((wait) => milliseconds(wait, 'retry.schedule'))
    : undefined
  const { retries = waits?.length ?? 3 } = options
  if (waits?.length === 0) throw invalid('schedule', schedule, 'at least one wait, or use retries: 0')
  if (!waits && schedule !== 'exponential' && schedule !== 'fixed') {
    throw invalid('schedule', schedule, `'exponential', 'fixed' or a list such as ['1s', '1m']`)
  }
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    throw invalid('jitter', jitter, 'a number from 0 (none) to 1 (full)')
  }
  return {
    retries: wholeNumber('retry.retries', retries, [0, 1_000]),
    schedule: waits ?? (schedule as 'exponential' | 'fixed'),
    baseMs: milliseconds(base, 'retry.base'),
    maxMs: milliseconds(max, 'retry.max'),
    jitter,
  }
}

const invalid = (option: keyof RetryOptions, value: unknown, use: string): SetupError =>
  invalidOption(`retry.${option}`, value, use)

/**
 * The wait before attempt `attempt`. An explicit schedule repeats its last wait.
 * @param attempt  the attempt about to run, from 2
 * @param random   from 0 to below 1, as `Math.random`
 * @returns whole milliseconds, 0 to `maxMs`
 * @see Standard Webhooks 1.0.0, "Deliverability and reliability"
 */
export function backoff(attempt: number, policy: RetryPolicy, random: () => number): number {
  const { schedule, baseMs, maxMs, jitter } = policy
  const nth = attempt - 2
  const wait =
    schedule === 'exponential'
      ? baseMs * 2 ** nth
      : schedule === 'fixed'
        ? baseMs
        : (schedule[Math.min(nth, schedule.length - 1)] ?? baseMs)
  const capped = Math.min(wait, maxMs)
  return Math.round(jitter === 0 ? capped : capped * (1 - jitter * random()))
}

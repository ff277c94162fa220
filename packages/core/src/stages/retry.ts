import { backoff, retryPolicy, retryOptions, type RetryOptions } from '../pure/backoff.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { clockOf, type Clock } from '../words/clock.ts'
import { PermanentError, RetryAfterError } from '../words/errors.ts'
import { callable, knownOptions } from '../words/options.ts'

export interface RetryInRequestOptions extends RetryOptions {
  /** All attempts and waits together. A wait that would go beyond it is not begun. Default `'10s'`. */
  budget?: Duration
  clock?: Clock
  /** From 0 to below 1, for jitter. Default `Math.random`. */
  random?: () => number
}

export interface RetryContext {
  /** From 1. */
  readonly attempt: number
  /** Aborts when the caller's signal does, and when the budget is used up. */
  readonly signal: AbortSignal
}

/** Runs a handler until it succeeds, may not be tried again, or the budget is used up. */
export type Retrying = <Value>(
  handler: (context: RetryContext) => Value | Promise<Value>,
  signal?: AbortSignal,
) => Promise<Value>

/**
 * Retries within a request, for work that its caller waits for: `await retry({ retries: 2 })(({ signal }) => …)`. For
 * work that may take longer than a caller waits there are bots.
 *
 * The last error is thrown as it is. A `PermanentError` ends it at once; a `RetryAfterError` sets the wait.
 * @throws SetupError for bad options, when `retry(options)` is called
 */
export function retry(options: RetryInRequestOptions = {}): Retrying {
  knownOptions('retry', options, [...retryOptions, 'budget', 'clock', 'random'])
  const { budget = '10s', clock: given, random = Math.random, ...ofPolicy } = options
  const clock = clockOf(given)
  callable('retry.random', random)
  const policy = retryPolicy(ofPolicy)
  const budgetMs = milliseconds(budget, 'retry.budget', ['1ms'])

  return async (handler, caller) => {
    const over = new AbortController()
    const endsAt = clock.monotonicMs() + budgetMs
    const cancel = clock.after(budgetMs, () =>
      over.abort(new Error(`The budget of ${budgetMs} ms is used up.`)),
    )
    const signal = caller ? AbortSignal.any([caller, over.signal]) : over.signal
    try {
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted()
        try {
          return await handler({ attempt, signal })
        } catch (error) {
          if (PermanentError.is(error) || attempt > policy.retries || signal.aborted) throw error
          const waitMs = RetryAfterError.is(error)
            ? Math.min(error.retryAfterMs, policy.maxMs)
            : backoff(attempt + 1, policy, random)
          if (clock.monotonicMs() + waitMs > endsAt) throw error
          await pause(waitMs, clock, signal)
        }
      }
    } finally {
      cancel()
    }
  }
}

/** Resolves after the wait, or as soon as the signal aborts. */
function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}

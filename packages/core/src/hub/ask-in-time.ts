import type { Clock } from '../words/clock.ts'

/** What is said about an event; with `retryAfterMs` that somebody else is at it and has not finished. */
interface Answer {
  readonly is: string
  readonly retryAfterMs?: number
}

const longestPauseMs = 50

/** Of the whole time, what is too little to ask once more. */
const leastShare = 1 / 4

/**
 * Asks, and asks again for as long as somebody else is at the same event. All of it takes no longer than `timeMs`.
 * @param ask  has so many milliseconds for its answer
 * @returns the last answer
 */
export async function askInTime<Said extends Answer>(
  timeMs: number,
  clock: Clock,
  ask: (timeoutMs: number) => Promise<Said>,
): Promise<Said> {
  const until = clock.monotonicMs() + timeMs
  const left = (): number => Math.ceil(until - clock.monotonicMs())
  for (let timeoutMs = timeMs; ;) {
    const said = await ask(timeoutMs)
    const { retryAfterMs } = said
    if (retryAfterMs === undefined) return said
    const pauseMs = Math.min(left(), retryAfterMs, longestPauseMs)
    await new Promise<void>((resume) => clock.after(pauseMs, resume))
    timeoutMs = left()
    if (timeoutMs < timeMs * leastShare) return said
  }
}

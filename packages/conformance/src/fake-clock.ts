import type { Clock } from '@trigger-hub/core'

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves time on by `ms` milliseconds and runs what comes due on the way, in order. */
  advance(ms: number): void
}

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** @param startAt  epoch milliseconds; the monotonic time starts elsewhere, so that mixing the two up shows */
export function fakeClock(startAt = Date.UTC(2030, 0, 1)): FakeClock {
  const timers = new Set<Timer>()
  let passed = 0
  const nextUntil = (end: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers) if (timer.at <= end && (!next || timer.at < next.at)) next = timer
    return next
  }
  return {
    now: () => startAt + passed,
    monotonicMs: () => 1_000 + passed,
    after(ms, task) {
      const timer = { at: passed + Math.max(ms, 0), task }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      const end = passed + ms
      for (let timer = nextUntil(end); timer; timer = nextUntil(end)) {
        timers.delete(timer)
        passed = Math.max(passed, timer.at)
        timer.task()
      }
      passed = end
    },
  }
}

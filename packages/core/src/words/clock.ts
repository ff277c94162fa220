import { able } from './options.ts'

/** Where time comes from, so that tests decide what time it is. */
export interface Clock {
  /** Wall-clock time, epoch milliseconds: for timestamps and for how long things are kept. */
  now(): number
  /** Milliseconds that never go backwards, the same for all processes of one machine: for leases. */
  monotonicMs(): number
  /** Runs `task` once after `ms` milliseconds. Returns what cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void
}

// setTimeout runs at once for a delay of more than 31 bits
const longestTimer = 2 ** 31 - 1

/** The clock of this machine. */
export const systemClock: Clock = {
  now: Date.now,
  monotonicMs() {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1_000 + Math.floor(nanoseconds / 1e6)
  },
  after(ms, task) {
    const timer = setTimeout(task, Math.min(Math.max(ms, 0), longestTimer))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * The clock that was given, or that of this machine.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no clock
 */
export const clockOf = (clock: Clock = systemClock): Clock =>
  able('clock', clock, 'monotonicMs', 'fakeClock()')

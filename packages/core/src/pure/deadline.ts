import type { Clock } from '../words/clock.ts'

/** The promise, or a rejection when the time is over; the promise goes on. */
export type Within = <T>(promise: Promise<T>) => Promise<T>

/** What a promise that has outlasted its time is rejected with, unless there is a better word for it. */
export class TooLate extends Error {
  constructor(ms: number) {
    super(`no answer within ${Math.round(ms)} ms`)
  }
}

/** Unlike that of a clock, it keeps the process alive: somebody waits for the answer. */
const timer: Pick<Clock, 'after'> = {
  after(ms, task) {
    const timeout = setTimeout(task, ms)
    return () => clearTimeout(timeout)
  },
}

/**
 * The promise, or a rejection when it has not settled within `ms`; what becomes of it then concerns nobody.
 * @param late  makes what it is rejected with then
 */
export function within<T>(
  promise: Promise<T>,
  ms: number,
  late: () => Error = () => new TooLate(ms),
  clock = timer,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, ms), () => reject(late()))
    promise.then(resolve, reject).finally(cancel)
  })
}

/**
 * One time for several promises.
 * @param late  makes what a promise that outlasts it is rejected with
 */
export function deadlineIn(ms: number, clock: Clock, late: () => Error): Within {
  const until = clock.monotonicMs() + ms
  return (promise) => within(promise, until - clock.monotonicMs(), late, clock)
}

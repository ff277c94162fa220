import type { Clock } from '../words/clock.ts'

/** The promise, or a rejection when the time is over; the promise goes on. */
export type Within = <T>(promise: Promise<T>) => Promise<T>

/**
 * One time for several promises.
 * @param late  what a promise that outlasts it is rejected with
 */
export function deadlineIn(ms: number, clock: Clock, late: () => Error): Within {
  const until = clock.monotonicMs() + ms
  return (promise) =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(Math.max(0, until - clock.monotonicMs()), () => reject(late()))
      promise.then(resolve, reject).finally(cancel)
    })
}

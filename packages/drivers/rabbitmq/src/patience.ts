/** Of all calls that nobody waits for at a sender's expense. */
export const patienceMs = 5_000

export class TooLate extends Error {}

/** Rejects with `TooLate` when `promise` has not settled in time; what becomes of it then concerns nobody. */
export function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooLate(`no answer within ${ms} ms`)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

import { setTimeout as wait } from 'node:timers/promises'

/** Less than a test may take, so that what did not happen is named before jest gives the test up. */
const patienceMs = 20_000
const everyMs = 5

type Nothing = false | null | undefined

/**
 * Resolves to the first truthy value that `look` gives.
 * @param ms  how long that may take
 * @throws Error that shows `look`
 */
export async function eventually<T>(
  look: () => T | Nothing | Promise<T | Nothing>,
  ms = patienceMs,
): Promise<T> {
  for (const until = performance.now() + ms; ; await wait(everyMs)) {
    const value = await look()
    if (value) return value
    if (performance.now() > until) throw new Error(`It never came to this: ${String(look)}`)
  }
}

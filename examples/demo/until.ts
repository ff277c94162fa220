import { setTimeout } from 'node:timers/promises'

const everyMs = 20
const patienceMs = 60_000

/** Looks again and again until there is something to see. Throws after a minute. */
export async function until<T>(what: string, look: () => T | false | Promise<T | false>): Promise<T> {
  for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs;) {
    const seen = await look()
    if (seen !== false) return seen
    await setTimeout(everyMs)
  }
  throw new Error(`It did not come to this: ${what}.`)
}

import type { Driver, Subscription } from '@trigger-hub/core'
import { inFlight, measured, type Measured } from './accept.ts'

const rounds = 5

/** What one event costs. */
export type Cost = Pick<Measured, 'perSecond' | 'cpuMicros'>

export type Task = readonly [name: string, task: () => Promise<unknown>]

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/**
 * Runs pairs of tasks, each in turns with its other. The first round warms up.
 * @param between  is waited for after each task and costs nothing
 * @returns the median cost of a task, by its name
 */
export async function inTurns(
  events: number,
  pairs: readonly (readonly [Task, Task])[],
  between: () => Promise<unknown> = async () => undefined,
): Promise<(name: string) => Cost> {
  const costs = new Map<string, Cost[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const [one, other] of pairs) {
      for (const [name, task] of round % 2 === 0 ? [one, other] : [other, one]) {
        const cost = await measured(events, task)
        await between()
        if (round > 0) costs.set(name, [...(costs.get(name) ?? []), cost])
      }
    }
  }
  return (name) => ({
    perSecond: median((costs.get(name) ?? []).map(({ perSecond }) => perSecond)),
    cpuMicros: median((costs.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)),
  })
}

/** Prints two costs, and the first as a ratio to the second. */
export function compare(of: (name: string) => Cost, ours: string, theirs: string): void {
  for (const name of [ours, theirs]) {
    const { perSecond, cpuMicros } = of(name)
    console.log(
      `${name.padEnd(24)} ${perSecond.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(7)} µs of CPU`,
    )
  }
  const [a, b] = [of(ours), of(theirs)]
  console.log(
    `${''.padEnd(24)} ${(a.perSecond / b.perSecond).toFixed(2).padStart(7)} ×  ${(a.cpuMicros / b.cpuMicros).toFixed(2).padStart(6)} ×`,
  )
}

/** Does something so many times, 64 at a time. */
export async function lanes(events: number, one: () => Promise<unknown>): Promise<void> {
  let left = events
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

/** Resolves when bot `mail` has handled so many events; to drain is the caller's affair. */
export async function handled(driver: Driver, events: number): Promise<Subscription> {
  let left = events
  let isOver = (): void => undefined
  const over = new Promise<void>((resolve) => (isOver = resolve))
  const around = {
    concurrency: 100,
    onSettled: () => void (--left === 0 && isOver()),
    onError: console.error,
  }
  const subscription = await driver.consume('mail', around, async () => ({ is: 'done' }))
  await over
  return subscription
}

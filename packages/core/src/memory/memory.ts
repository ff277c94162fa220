import type { Driver } from '../ports/driver.ts'
import type { CompanionStore } from '../ports/store.ts'
import { clockOf, type Clock } from '../words/clock.ts'
import { knownOptions } from '../words/options.ts'
import { MemoryDriver } from './driver.ts'

export interface MemoryOptions {
  /** Where time comes from. Default: the system's. */
  clock?: Clock
}

/**
 * Driver and store in the memory of this process: for tests, and to read before writing a driver. It survives nothing,
 * so a hub takes it with `allowVolatile: true` only. A receiver and a worker share one instance.
 * @throws SetupError `ERR_OPTION_UNKNOWN`
 */
export function memory(options: MemoryOptions = {}): Driver & CompanionStore {
  knownOptions('memory()', options, ['clock'])
  return new MemoryDriver(clockOf(options.clock))
}

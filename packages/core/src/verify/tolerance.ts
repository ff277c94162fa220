import { milliseconds, type Duration } from '../words/amounts.ts'
import { SetupError } from '../words/errors.ts'
import type { Preset } from './preset.ts'

export interface ToleranceOption {
  /** How far the sender's timestamp may be from this machine's clock, either way. Default: the provider's own. */
  readonly tolerance?: Duration
}

/**
 * The record with another tolerance.
 * @throws SetupError `ERR_OPTION_INVALID` for what is not a duration, or is none
 */
export function withTolerance<P extends Preset>(preset: P, tolerance: Duration | undefined): P {
  const { timestamp } = preset.scheme
  if (tolerance === undefined || !timestamp) return preset
  const toleranceMs = milliseconds(tolerance, `${preset.provider}.tolerance`)
  if (toleranceMs === 0) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `Option "${preset.provider}.tolerance" is 0: no request is that fast.`,
    )
  }
  return { ...preset, scheme: { ...preset.scheme, timestamp: { ...timestamp, toleranceMs } } }
}

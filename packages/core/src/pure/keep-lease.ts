import type { Clock } from '../words/clock.ts'

export interface LeaseOptions {
  readonly leaseMs: number
  readonly clock: Clock
  /** When the lease was asked for, by the monotonic clock. Default: now. */
  readonly askedAt?: number
  /** Resolves to false when the lease is no longer ours; rejects when that cannot be found out now. */
  readonly renew: () => Promise<boolean>
  /** The lease is over, or must be by now since nobody could be asked: somebody else may be at work on the same. */
  readonly onLost?: () => void
}

export interface KeptLease {
  /** False once its time is over, also if nobody has noticed: this process may have been stopped meanwhile. */
  readonly isLive: boolean
  /** Renews it no more. */
  stop(): void
}

/** Renews a lease three times in its length. A renewal that fails is tried again, ten times in a length. */
export function keepLease({ leaseMs, clock, askedAt, renew, onLost }: LeaseOptions): KeptLease {
  let isOver = false
  let expiresAt = 0
  let cancelRenewal: () => void = () => undefined
  let cancelExpiry: () => void = () => undefined

  const stop = (): void => {
    isOver = true
    cancelRenewal()
    cancelExpiry()
  }
  /** Also while a renewal hangs. */
  const lose = (): void => {
    if (isOver) return
    stop()
    onLost?.()
  }
  const renewIn = (ms: number): void => {
    if (!isOver) cancelRenewal = clock.after(ms, again)
  }
  const hold = (since: number): void => {
    if (isOver) return
    expiresAt = since + leaseMs
    cancelExpiry()
    cancelExpiry = clock.after(expiresAt - clock.monotonicMs(), lose)
    renewIn(leaseMs / 3)
  }
  const again = (): void => {
    const since = clock.monotonicMs()
    renew().then(
      (isHeld) => (isHeld ? hold(since) : lose()),
      () => renewIn(leaseMs / 10),
    )
  }
  hold(askedAt ?? clock.monotonicMs())
  return {
    get isLive() {
      return !isOver && clock.monotonicMs() < expiresAt
    },
    stop,
  }
}

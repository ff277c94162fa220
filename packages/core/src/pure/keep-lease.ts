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
  let cancel: () => void = () => undefined
  let expiresAt = (askedAt ?? clock.monotonicMs()) + leaseMs
  const lose = (): void => {
    if (isOver) return
    isOver = true
    onLost?.()
  }
  const renewIn = (ms: number): void => {
    if (!isOver) cancel = clock.after(ms, again)
  }
  const again = (): void => {
    const askedAt = clock.monotonicMs()
    renew().then(
      (isHeld) => {
        if (!isHeld) return lose()
        expiresAt = askedAt + leaseMs
        renewIn(leaseMs / 3)
      },
      () => (clock.monotonicMs() >= expiresAt ? lose() : renewIn(leaseMs / 10)),
    )
  }
  renewIn(leaseMs / 3)
  return {
    get isLive() {
      return !isOver && clock.monotonicMs() < expiresAt
    },
    stop() {
      isOver = true
      cancel()
    },
  }
}

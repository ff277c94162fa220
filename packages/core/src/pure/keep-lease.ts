import type { Clock } from '../words/clock.ts'

export interface KeptLease {
  readonly leaseMs: number
  readonly clock: Clock
  /** Resolves to false when the lease is no longer ours; rejects when that cannot be found out now. */
  readonly renew: () => Promise<boolean>
  /** The lease is over, or must be by now since nobody could be asked: somebody else may be at work on the same. */
  readonly onLost?: () => void
}

/**
 * Renews a lease three times in its length. A renewal that fails is tried again, ten times in a length.
 * @returns what stops it
 */
export function keepLease({ leaseMs, clock, renew, onLost }: KeptLease): () => void {
  let isOver = false
  let cancel: () => void = () => undefined
  let expiresAt = clock.monotonicMs() + leaseMs
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
  return () => {
    isOver = true
    cancel()
  }
}

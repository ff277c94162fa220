const shortestMs = 250
/** 17 minutes: a longer wait takes it several times. */
const longest = 12

/**
 * The waits of which every wait is composed, a partition of the private topic of a bot each: first none at all, then
 * 250 ms and twice as long from one to the next. What is in one of them becomes due in its order.
 */
export const rungs: readonly number[] = [
  0,
  ...Array.from({ length: longest + 1 }, (_, nth) => shortestMs * 2 ** nth),
]

/** The partition for the next part of a wait: the longest that is not too long, or else the shortest. */
export function rungFor(ms: number): number {
  if (ms <= 0) return 0
  const fitting = rungs.findLastIndex((rung) => rung <= ms)
  return Math.max(1, fitting)
}

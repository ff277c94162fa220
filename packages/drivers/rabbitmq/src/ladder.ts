const firstRungMs = 250
/** The longest is well below the 30 minutes for which the server lets a message be held. */
const rungs = 12

/** How long a message stays in each wait queue, milliseconds: 250 ms · 2^n, up to 8.5 minutes. */
export const ladder: readonly number[] = Array.from({ length: rungs }, (_, n) => firstRungMs * 2 ** n)

/**
 * The next part of a wait: the longest rung that is not longer than what is left, so that the parts add up to at least
 * as long as asked, and less than the first rung more.
 */
export const rungFor = (leftMs: number): number =>
  ladder.findLast((rungMs) => rungMs <= leftMs) ?? firstRungMs

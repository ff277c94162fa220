import type { Source } from './source.ts'

/**
 * A source that accepts what any of several accept, such as a sender with two keys in two headers. Speaks with the
 * preset of the first one; a refusal is the most telling one.
 */
export const either = <Events>(
  first: Source<Events>,
  ...others: readonly Source<Events>[]
): Source<Events> => ({
  ...first,
  check: (request, nowMs) => {
    let refused = first.check(request, nowMs)
    for (const source of others) {
      if (refused.ok) return refused
      const next = source.check(request, nowMs)
      if (next.ok || refused.code === 'ERR_SIGNATURE_MISSING') refused = next
    }
    return refused
  },
})

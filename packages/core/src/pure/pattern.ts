import { SetupError } from '../words/errors.ts'

/**
 * A compiled pattern: `source:type`, where `source` is a name or `*`, and `type` is dotted with `*` for one segment and
 * `**` for zero or more. Maps to an AMQP topic (`*`, `#`) segment by segment.
 */
export interface Pattern {
  readonly text: string
  /** Name of a source, or `*`. */
  readonly source: string
  matches(source: string, type: string): boolean
}

/** A name that a source can have: it is part of patterns, and of the URL of an endpoint. */
export const sourceName = /^[A-Za-z0-9][\w-]{0,63}$/

const form = /^([^:]+):((?:\*\*?|[^\s.*:]+)(?:\.(?:\*\*?|[^\s.*:]+))*)$/

/**
 * Compiles a pattern once, so that matching costs no parsing.
 * @throws SetupError `ERR_BOT_INVALID` if it is not of the form
 */
export function pattern(text: string): Pattern {
  const [, source, type] = typeof text === 'string' ? (form.exec(text) ?? []) : []
  if (source === undefined || type === undefined || (source !== '*' && !sourceName.test(source))) {
    throw new SetupError(
      'ERR_BOT_INVALID',
      `"${String(text)}" is not a pattern: write "source:type", such as "shop:orders.*", "shop:**" or "*:**".`,
    )
  }
  const segments = type.split('.')
  const anySource = source === '*'
  const literal = !type.includes('*')
  return {
    text,
    source,
    matches: (ofSource, ofType) =>
      (anySource || ofSource === source) &&
      (literal ? ofType === type : type === '**' || matchSegments(segments, ofType.split('.'))),
  }
}

/** Greedy with one step back, as for globs: linear in practice, and at most pattern times type, never exponential. */
function matchSegments(wanted: readonly string[], given: readonly string[]): boolean {
  let w = 0
  let g = 0
  let star = -1
  let resume = 0
  while (g < given.length) {
    if (wanted[w] === '**') {
      star = w++
      resume = g
    } else if (w < wanted.length && (wanted[w] === '*' || wanted[w] === given[g])) {
      w++
      g++
    } else if (star >= 0) {
      w = star + 1
      g = ++resume
    } else {
      return false
    }
  }
  while (wanted[w] === '**') w++
  return w === wanted.length
}

import type { RequestHeaders } from '../words/headers.ts'

const longestKey = 255

/** What the headers say about a key: one, none, or why it is not one. */
export type KeyHeader = { readonly key: string } | { readonly missing: true } | { readonly malformed: string }

/**
 * Reads an idempotency key from the first of `names` that is there: bare, or quoted as a structured field string.
 * @see draft-ietf-httpapi-idempotency-key-header-07 §2.1, RFC 8941 §3.3.3
 */
export function keyFromHeaders(headers: RequestHeaders, names: readonly string[]): KeyHeader {
  const values = names.flatMap((name) => headers.all(name))
  const [value] = values
  if (value === undefined) return { missing: true }
  if (values.length > 1) return { malformed: 'it came more than once' }
  const key = unquoted(value.trim())
  if (key === undefined || !/^[\x20-\x7e]+$/.test(key))
    return { malformed: 'it is not a line of visible ASCII' }
  if (key.length > longestKey) return { malformed: `it is longer than ${longestKey} characters` }
  return { key }
}

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return text
  const inner = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1]
  return inner?.replace(/\\(["\\])/g, '$1')
}

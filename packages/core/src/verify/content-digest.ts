import { createHash, timingSafeEqual } from 'node:crypto'
import { parseDictionary } from './structured-fields.ts'

const algorithms = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

/**
 * Whether a `Content-Digest` is of these bytes: every digest of a known algorithm must be, and there must be one.
 * @see RFC 9530 §2
 */
export function digestHolds(header: string, body: Buffer): boolean {
  const dictionary = parseDictionary(header)
  let known = 0
  for (const [name, { value }] of dictionary ?? []) {
    const algorithm = algorithms.get(name)
    if (algorithm === undefined) continue
    const expected = createHash(algorithm).update(body).digest()
    if (!Buffer.isBuffer(value) || value.length !== expected.length || !timingSafeEqual(value, expected))
      return false
    known++
  }
  return known > 0
}

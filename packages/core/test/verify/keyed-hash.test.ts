import { createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { keyedHash } from '../../src/verify/keyed-hash.ts'

const algorithms = ['sha1', 'sha256', 'sha384', 'sha512'] as const
const encodings = ['hex', 'base64', 'base64url'] as const

/** What is short is copied, what is long is not, and 16 KiB are the border: text counts as three bytes a character. */
const lengths = [0, 1, 63, 64, 65, 5_461, 5_462, 16_383, 16_384, 16_385, 100_000]

const expected = (algorithm: string, key: Buffer, pieces: readonly (string | Buffer)[], encoding: 'hex') =>
  pieces.reduce((hmac, piece) => hmac.update(piece), createHmac(algorithm, key)).digest(encoding)

describe.each(algorithms)('a keyed hash with %s is the one of node:crypto', (algorithm) => {
  test.each(lengths)('for a message of %d bytes, also in text', (length) => {
    const key = Buffer.from('secret')
    const make = keyedHash(algorithm, createSecretKey(key), 'hex')
    for (const pieces of [[Buffer.alloc(length, 7)], ['é'.repeat(length)], ['1.', Buffer.alloc(length)]]) {
      expect(make(pieces)).toBe(expected(algorithm, key, pieces, 'hex'))
    }
  })

  test.each([1, 63, 64, 65, 127, 128, 129, 1_000])('for a key of %d bytes', (length) => {
    const key = Buffer.alloc(length, 0xa5)
    const pieces = ['1700000000.', Buffer.from('{}')]
    expect(keyedHash(algorithm, createSecretKey(key), 'hex')(pieces)).toBe(
      expected(algorithm, key, pieces, 'hex'),
    )
  })

  test('for any keys, pieces and encodings, one after the other', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((key) => Buffer.from(key))
    fc.assert(
      fc.property(bytes, fc.array(piece), fc.constantFrom(...encodings), (key, pieces, encoding) => {
        const make = keyedHash(algorithm, createSecretKey(key), encoding)
        expect(make(pieces)).toBe(expected(algorithm, key, pieces, encoding as 'hex'))
        expect(make(pieces)).toBe(make(pieces))
      }),
    )
  })

  test('for half of a surrogate pair', () => {
    const key = Buffer.from('secret')
    const pieces = ['\ud800', '\udc00', Buffer.from([0xff])]
    expect(keyedHash(algorithm, createSecretKey(key), 'hex')(pieces)).toBe(
      expected(algorithm, key, pieces, 'hex'),
    )
  })
})

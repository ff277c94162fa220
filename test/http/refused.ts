import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { sign } from '@trigger-hub/core/verify'
import { limit, signed, source, type Case } from './requests.ts'
import type { WireRequest } from './wire.ts'

const digest = sign(source, { rawBody: Buffer.from('{}'), nowMs: 0 })['x-signature']!

/** A request with another signature, or none, over a body of `{}`. */
const forged = (signature: string | readonly string[] | undefined): WireRequest => ({
  path: '/webhooks/shop',
  body: '{}',
  headers: {
    'content-type': 'application/json',
    ...(signature === undefined ? {} : { 'x-signature': signature }),
  },
})

/** What is not signed as it should be. */
export const forgeries: [string, WireRequest][] = [
  ['no signature', forged(undefined)],
  ['an empty signature', forged('')],
  ['a signature of another body', { ...forged(digest), body: '{ }' }],
  ['a wrong signature', forged('0'.repeat(64))],
  ['half a signature', forged(digest.slice(0, 32))],
  ['one digit too few', forged(digest.slice(0, 63))],
  ['one digit too many', forged(`${digest}0`)],
  ['upper-case hex', forged(digest.toUpperCase())],
  ['the digest in base64', forged(Buffer.from(digest, 'hex').toString('base64'))],
  ['a prefix that this sender does not write', forged(`sha256=${digest}`)],
  ['white space inside', forged(`${digest.slice(0, 32)} ${digest.slice(32)}`)],
  ['letters that are no hex', forged('z'.repeat(64))],
  ['bytes beyond ASCII', forged('\u00e4'.repeat(64))],
  ['the signature twice in one line', forged(`${digest}, ${digest}`)],
  ['the right signature on two lines', forged([digest, digest])],
  ['a wrong signature on a second line', forged([digest, '0'.repeat(64)])],
  ['a signature of 8 KB', forged('0'.repeat(8_192))],
  [
    'the right key on two lines',
    { ...forged(digest), headers: { 'x-signature': digest, 'x-idempotency-key': ['1', '2'] } },
  ],
  ['a __proto__ in an unsigned body', { ...forged('0'.repeat(64)), body: '{"__proto__":{"polluted":true}}' }],
]

const zeros = Buffer.alloc(20_000_000)
const bombs = Object.entries({
  gzip: gzipSync(zeros),
  deflate: deflateSync(zeros),
  br: brotliCompressSync(zeros),
})
const tenMegabytes = Buffer.alloc(10_000_000)

/** What is signed, and cannot be taken. */
export const refused: Case[] = [
  {
    name: 'a body of one byte too many',
    request: () => signed('a'.repeat(limit + 1)),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  {
    name: '10 MB with their length',
    request: () => signed(tenMegabytes),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  {
    name: '10 MB in chunks',
    request: () => signed(tenMegabytes, {}, { chunkBytes: 65_536 }),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  ...bombs.map(([encoding, bomb]): Case => ({
    name: `20 MB in ${bomb.length} bytes of ${encoding}`,
    request: () => signed(bomb, { 'content-encoding': encoding }),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  })),
  {
    name: 'half a gzip',
    request: () => signed(gzipSync('{"a":1}').subarray(0, -5), { 'content-encoding': 'gzip' }),
    status: 400,
    code: 'ERR_BODY_ENCODING_INVALID',
  },
  {
    name: 'plain text that claims to be gzip',
    request: () => signed('{"a":1}', { 'content-encoding': 'gzip' }),
    status: 400,
    code: 'ERR_BODY_ENCODING_INVALID',
  },
  ...['gzip, gzip', 'gzip, br', 'identity, gzip', 'zstd', 'compress', '__proto__', 'constructor'].map(
    (encoding): Case => ({
      name: `the encoding ${encoding}`,
      request: () => signed(gzipSync('1'), { 'content-encoding': encoding }),
      status: 415,
      code: 'ERR_BODY_ENCODING_UNSUPPORTED',
    }),
  ),
  {
    name: 'two lines of encodings',
    request: () => signed(gzipSync('1'), { 'content-encoding': ['gzip', 'gzip'] }),
    status: 415,
    code: 'ERR_BODY_ENCODING_UNSUPPORTED',
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method): Case => ({
    name: `${method}`,
    request: () => signed('1', {}, { method }),
    status: 405,
    code: 'ERR_METHOD_NOT_ALLOWED',
  })),
]

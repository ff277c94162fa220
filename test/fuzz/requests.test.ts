import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { bytesOf, exchange, type WireRequest } from '../http/wire.ts'
import { Fuzzed } from './fuzzed.ts'
import { fuzzSecret, fuzzSources } from './server.ts'

const seed = Number(process.env.FUZZ_SEED ?? 1)
const numRuns = Number(process.env.FUZZ_RUNS ?? 300)

let server: Fuzzed
beforeAll(async () => (server = await Fuzzed.start({ bodyTimeout: 100 }))) // of half a body the rest never comes
afterAll(() => server.end())

const macOf = (body: Buffer): string => createHmac('sha256', fuzzSecret).update(body).digest('hex')

const text = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 80,
  }),
  fc.constantFrom(
    '',
    ' ',
    ',',
    't=1,v1=',
    't=,v1=',
    'v1,',
    'v0=',
    'sha256=',
    '123junk',
    '1e9',
    '0x10',
    '-1',
    '__proto__',
    'NaN',
  ),
  fc.integer({ min: 1, max: 70_000 }).map((length) => 'a'.repeat(length)),
  fc.integer({ min: 1, max: 2_000 }).map((length) => 'v1=a,'.repeat(length)),
)

const body = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((json) => Buffer.from(json)),
  fc.string({ unit: 'binary' }).map((any) => Buffer.from(any)),
  fc
    .constantFrom(
      '',
      '{',
      '{}',
      '\ufeff{}',
      '{"__proto__":{}}',
      '{"id":{"length":1}}',
      '[[[[',
      '"\\ud800"',
      '1e400',
      'a=1&a=2',
      '__proto__=1',
    )
    .map((any) => Buffer.from(any)),
)

const readHeaders = [
  ...[
    'x-signature',
    'x-idempotency-key',
    'x-event-type',
    'x-hub-signature-256',
    'x-github-delivery',
    'x-github-event',
  ],
  ...[
    'x-shopify-hmac-sha256',
    'x-shopify-webhook-id',
    'x-slack-signature',
    'x-slack-request-timestamp',
    'stripe-signature',
  ],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature', 'svix-id', 'svix-timestamp', 'svix-signature'],
]
const headers = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...readHeaders),
    fc.constantFrom('__proto__', 'constructor', 'x-hit', 'connection', 'expect'),
  ),
  fc.oneof(text, fc.array(text, { maxLength: 3 })),
  { maxKeys: 6 },
)

const request: fc.Arbitrary<WireRequest> = fc
  .record({
    method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'GET', 'PUT', 'HEAD', 'OPTIONS', 'TRACE'),
    path: fc.constantFrom(
      ...Object.keys(fuzzSources).map((source) => `/webhooks/${source}`),
      '/webhooks/plain?a=%',
      '/webhooks/%',
      '/webhooks/__proto__',
      '/guarded',
    ),
    body,
    headers,
    type: fc.option(
      fc.constantFrom(
        'application/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=',
        'text/plain',
        '/;;',
        'a'.repeat(5_000),
      ),
    ),
    encoding: fc.option(fc.constantFrom('gzip', 'deflate', 'br', 'gzip, gzip', 'GZIP', ' ', 'identity'), {
      freq: 6,
    }),
    squeezed: fc.boolean(),
    signs: fc.boolean(),
    chunkBytes: fc.option(fc.integer({ min: 1, max: 500 }), { freq: 3 }),
    wrongLength: fc.option(fc.constantFrom('0', '1', '99999999', '-1', '1e3', '+2', '0x10', ''), {
      freq: 12,
    }),
  })
  .map(({ type, encoding, squeezed, signs, chunkBytes, wrongLength, headers, body, ...rest }) => ({
    ...rest,
    body: squeezed && encoding ? gzipSync(body) : body,
    headers: {
      ...headers,
      ...(signs ? { 'x-signature': macOf(body) } : {}),
      ...(type === null ? {} : { 'content-type': type }),
      ...(encoding === null ? {} : { 'content-encoding': encoding }),
      ...(wrongLength === null ? {} : { 'content-length': wrongLength }),
    },
    ...(chunkBytes === null ? {} : { chunkBytes }),
  }))

const refusals = [0, 400, 401, 404, 405, 408, 413, 415, 417, 431]

test('no request makes the server throw, stall, or accept what the secret has not signed', async () => {
  let signed = 0
  await server.report()
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const { status } = await exchange(server.port, asked, 10_000)
      if (status === 200 && asked.path.startsWith('/webhooks/')) {
        signed++
        expect(asked.path).toMatch(/^\/webhooks\/plain/) // nothing else was signed
        expect([asked.headers?.['x-signature']].flat()).toHaveLength(1)
      } else if (status !== 200) {
        expect(refusals).toContain(status)
      }
      expect(server.isAlive).toBe(true)
    }),
    { seed, numRuns },
  )
  const { accepted, stallMs } = await server.report()
  expect(signed).toBeGreaterThan(0) // so that the 401s are not because of us
  expect(accepted).toBe(signed)
  expect(stallMs).toBeLessThan(server.mostStallMs)
}, 120_000)

test('no bytes on the connection make the server throw or stall', async () => {
  await server.report()
  const right = bytesOf({
    path: '/webhooks/plain',
    body: '{}',
    headers: { 'x-signature': macOf(Buffer.from('{}')) },
  })
  const broken = fc
    .record({
      at: fc.integer({ min: 0, max: right.length - 1 }),
      drop: fc.integer({ min: 0, max: 40 }),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom('\r\n', '\n', ' ', ':', '\0', '\r\n\r\n').map((any) => Buffer.from(any)),
      ),
    })
    .map(({ at, drop, put }) =>
      Buffer.concat([right.subarray(0, at), put, right.subarray(at + drop), Buffer.from('\r\n\r\n')]),
    )
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const { status } = await exchange(server.port, bytes, 100) // what is left of it may be half a request
      expect([-1, 200, ...refusals]).toContain(status)
      expect(server.isAlive).toBe(true)
    }),
    { seed, numRuns },
  )
  expect((await server.report()).stallMs).toBeLessThan(server.mostStallMs)
}, 120_000)

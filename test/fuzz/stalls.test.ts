import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { sign } from '@trigger-hub/core/verify'
import { exchange, type WireRequest } from '../http/wire.ts'
import { Fuzzed } from './fuzzed.ts'
import { fuzzSources } from './server.ts'

const limit = 1_048_576
/** What a request may cost at most: the limit as received and as inflated, and what it takes to inflate it. */
const mostBytes = 2 * limit + 4_194_304
/** What nobody has collected yet, however many there are at once. */
const garbageBytes = 67_108_864

let server: Fuzzed
beforeAll(async () => (server = await Fuzzed.start()))
afterAll(() => server.end())

/** Sends a request up to eight times and gives the least stall: what the input causes comes every time, compiling does not. */
async function stallOf(request: WireRequest): Promise<{ status: number; stallMs: number }> {
  let least = Infinity
  let status = 0
  for (let time = 0; time < 8 && least > server.mostStallMs; time++) {
    await server.report()
    const reply = await exchange(server.port, request)
    status = reply.status
    least = Math.min(least, (await server.report()).stallMs)
  }
  return { status, stallMs: least }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }

const bodies: { name: string; body: string; headers: Record<string, string> }[] = [
  { name: 'one field a third of a million times', body: 'a=&'.repeat(limit / 3), headers: form },
  { name: 'a million separators', body: '&'.repeat(limit), headers: form },
  { name: 'escapes', body: '%41'.repeat(limit / 3), headers: form },
  { name: 'white space', body: ' '.repeat(limit), headers: json },
  { name: 'a number of a million digits', body: '9'.repeat(limit), headers: json },
  { name: 'half a million brackets', body: '['.repeat(limit / 2), headers: json },
  { name: 'zero bytes', body: '\0'.repeat(limit), headers: { 'content-type': 'text/plain' } },
]

const paths = Object.keys(fuzzSources).map((source) => `/webhooks/${source}`)

describe.each(bodies)('a forged megabyte of $name', ({ body, headers }) => {
  it.each(paths)('is refused at %s without holding up the event loop', async (path) => {
    // every header that a scheme reads, so that the signature is really computed
    const signatures = Object.values(fuzzSources).map((source) =>
      sign(source, { rawBody: Buffer.from('x'), nowMs: Date.now() }),
    )
    const { status, stallMs } = await stallOf({
      path,
      body,
      headers: { ...headers, ...Object.assign({}, ...signatures) },
    })
    expect(status).toBe(401)
    expect(stallMs).toBeLessThan(server.mostStallMs)
  })
})

const signed = (rawBody: Buffer, headers: Record<string, string>): WireRequest => ({
  path: '/webhooks/plain',
  body: rawBody,
  headers: { ...sign(fuzzSources.plain, { rawBody, nowMs: Date.now() }), ...headers },
})

describe('a signed body that its bot looks at does not hold up the event loop', () => {
  it.each([
    { name: 'one field a hundred thousand times', body: 'a=&'.repeat(100_000), headers: form },
    {
      name: 'JSON nested a hundred thousand deep',
      body: '['.repeat(100_000) + ']'.repeat(100_000),
      headers: json,
    },
    {
      name: 'objects nested twenty thousand deep',
      body: '{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000),
      headers: json,
    },
    { name: 'a number of a million digits', body: '9'.repeat(limit), headers: json },
    { name: 'a million escapes', body: `"${'\\n'.repeat(limit / 2 - 1)}"`, headers: json },
  ])('$name', async ({ body, headers }) => {
    const { status, stallMs } = await stallOf(signed(Buffer.from(body), headers))
    expect(status).toBe(200)
    expect(stallMs).toBeLessThan(server.mostStallMs)
  })
})

test('a form with one field a hundred thousand times does not hold up the guard of an API', async () => {
  const { status, stallMs } = await stallOf({ path: '/guarded', body: 'a=&'.repeat(100_000), headers: form })
  expect(status).toBe(200)
  expect(stallMs).toBeLessThan(server.mostStallMs)
})

describe('a bomb is refused within a bounded memory', () => {
  const zeros = Buffer.alloc(200_000_000)
  it.each(
    Object.entries({ gzip: gzipSync(zeros), deflate: deflateSync(zeros), br: brotliCompressSync(zeros) }),
  )('%s', async (encoding, bomb) => {
    await server.report()
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => exchange(server.port, signed(bomb, { 'content-encoding': encoding }))),
    )
    const { grownBytes } = await server.report()
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 413))
    expect(grownBytes).toBeLessThan(10 * mostBytes + garbageBytes) // of 2 GB
  })
})

test('fifty bodies of ten megabytes at once are refused within a bounded memory', async () => {
  await server.report()
  const body = Buffer.alloc(10_000_000)
  const request: WireRequest = { path: '/webhooks/plain', body, chunkBytes: 65_536 }
  const replies = await Promise.all(Array.from({ length: 50 }, () => exchange(server.port, request)))
  const { grownBytes } = await server.report()
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([413]))
  expect(grownBytes).toBeLessThan(50 * mostBytes + garbageBytes) // of 500 MB
})

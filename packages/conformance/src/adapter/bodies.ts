import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Cases } from '../runner.ts'
import { signed, type AdapterTrial } from './trial.ts'

interface Body {
  readonly type?: string
  readonly bytes: Buffer
  /** Absent: the bytes themselves. */
  readonly data?: unknown
}

const mark = Buffer.from([0xef, 0xbb, 0xbf])

const bodies: Record<string, Body> = {
  'an empty body': { bytes: Buffer.alloc(0) },
  'an empty body that is called JSON': { type: 'application/json', bytes: Buffer.alloc(0) },
  JSON: { type: 'application/json', bytes: Buffer.from('{"a": 1.0}'), data: { a: 1 } },
  'JSON of a vendor': {
    type: 'application/cloudevents+json; charset=utf-8',
    bytes: Buffer.from('[1]'),
    data: [1],
  },
  'JSON behind a byte order mark': {
    type: 'application/json',
    bytes: Buffer.concat([mark, Buffer.from('{"a":1}')]),
    data: { a: 1 },
  },
  'JSON with a key called __proto__': {
    type: 'application/json',
    bytes: Buffer.from('{"__proto__":{"a":1}}'),
    data: JSON.parse('{"__proto__":{"a":1}}') as unknown,
  },
  'JSON that is broken': { type: 'application/json', bytes: Buffer.from('{"a":') },
  'JSON that is not UTF-8': { type: 'application/json', bytes: Buffer.from([0x22, 0xff, 0xfe, 0x22]) },
  'JSON with line ends of Windows': {
    type: 'application/json',
    bytes: Buffer.from('{\r\n"a": 1\r\n}\r\n'),
    data: { a: 1 },
  },
  'a form': {
    type: 'application/x-www-form-urlencoded',
    bytes: Buffer.from('a=1&b=%20x&a=2'),
    data: { a: ['1', '2'], b: ' x' },
  },
  XML: { type: 'application/xml', bytes: Buffer.from('<a>ü</a>') },
  'plain text': { type: 'text/plain', bytes: Buffer.from('hello') },
  multipart: { type: 'multipart/form-data; boundary=x', bytes: Buffer.from('--x\r\n\r\n1\r\n--x--') },
  'bytes of an unknown type': { type: 'application/x-nothing', bytes: Buffer.from([0, 1, 2, 255]) },
  'a type that is none': { type: ';;;', bytes: Buffer.from('?') },
}

const encodings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }

/** Every kind of body reaches the bot as it was sent. */
export const carrying: Cases<AdapterTrial> = {
  ...Object.fromEntries(
    Object.entries(bodies).map(([name, { type, bytes, data = bytes }]) => [
      `carries ${name}`,
      async (trial: AdapterTrial) => {
        const post = await trial.receiving()
        const { 'content-type': _json, ...headers } = signed('plain', bytes).headers
        const got = await post('/webhooks/plain', {
          headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
          body: bytes,
        })
        assert.equal(got.status, 200)
        const [event] = await trial.sees(1)
        assert.deepEqual(event?.rawBody, bytes)
        assert.deepEqual(event.data, data)
        assert.equal(event.contentType, type)
      },
    ]),
  ),

  ...Object.fromEntries(
    Object.entries(encodings).map(([encoding, compressed]) => [
      `inflates a body of content-encoding ${encoding} and checks what was signed`,
      async (trial: AdapterTrial) => {
        const post = await trial.receiving()
        const { headers } = signed('plain', '{"a":1}')
        const got = await post('/webhooks/plain', {
          headers: { ...headers, 'content-encoding': encoding },
          body: compressed('{"a":1}'),
        })
        assert.equal(got.status, 200)
        assert.deepEqual((await trial.sees(1))[0]?.rawBody, Buffer.from('{"a":1}'))
      },
    ]),
  ),

  'carries a body that comes in pieces': async (trial) => {
    const post = await trial.receiving()
    const { headers, body } = signed('plain', JSON.stringify('x'.repeat(200_000)))
    assert.equal(
      (await post('/webhooks/plain', { headers: { ...headers, 'transfer-encoding': 'chunked' }, body }))
        .status,
      200,
    )
    assert.deepEqual((await trial.sees(1))[0]?.rawBody, body)
  },
}

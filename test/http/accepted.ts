import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { bytes, json, limit, signed, type Case } from './requests.ts'

/** Requests that are good, however odd. */
export const accepted: Case[] = [
  { name: 'a JSON object', request: () => signed('{"a":1}', json), status: 200, data: { a: 1 } },
  {
    name: 'a body in chunks without a length',
    request: () => signed('{"a":1}', json, { chunkBytes: 2 }),
    status: 200,
    data: { a: 1 },
  },
  { name: 'an empty body', request: () => signed(''), status: 200, data: bytes('') },
  {
    name: 'an empty body that claims to be JSON',
    request: () => signed('', json),
    status: 200,
    data: bytes(''),
  },
  { name: 'no content type', request: () => signed('{"a":1}'), status: 200, data: { a: 1 } },
  {
    name: 'XML',
    request: () => signed('<a/>', { 'content-type': 'application/xml' }),
    status: 200,
    data: bytes('<a/>'),
  },
  {
    name: 'a multipart body',
    request: () => signed('--b\r\n\r\n1\r\n--b--', { 'content-type': 'multipart/form-data; boundary=b' }),
    status: 200,
    data: bytes('--b\r\n\r\n1\r\n--b--'),
  },
  {
    name: 'a form',
    request: () => signed('a=1&b=%C3%A4&a=2', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 200,
    data: { a: ['1', '2'], b: 'ä' },
  },
  { name: 'JSON that is none', request: () => signed('{"a":', json), status: 200, data: bytes('{"a":') },
  { name: 'JSON that is one number', request: () => signed('1e400', json), status: 200, data: Infinity },
  { name: 'a byte order mark', request: () => signed('\ufeff{"a":1}', json), status: 200, data: { a: 1 } },
  {
    name: 'invalid UTF-8',
    request: () => signed(Buffer.from('{"a":"\xff"}', 'latin1'), json),
    status: 200,
    data: bytes(Buffer.from('{"a":"\xff"}', 'latin1')),
  },
  {
    name: 'a lone surrogate',
    request: () => signed('{"a":"\\ud800"}', json),
    status: 200,
    data: { a: '\ud800' },
  },
  {
    name: 'a key twice, of which the last counts',
    request: () => signed('{"a":1,"a":2}', json),
    status: 200,
    data: { a: 2 },
  },
  {
    name: 'replacement patterns',
    request: () => signed("$$ $' $&", json),
    status: 200,
    data: bytes("$$ $' $&"),
  },
  {
    name: 'a __proto__ in JSON',
    request: () =>
      signed('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}', json),
    status: 200,
    data: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  },
  {
    name: 'a __proto__ in a form',
    request: () => signed('__proto__=1&__proto__=2', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 200,
    data: JSON.parse('{"__proto__":["1","2"]}'),
  },
  {
    name: 'headers named __proto__ and constructor',
    request: () => signed('1', { ...json, ['__proto__']: 'x', constructor: 'y' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a type that is a path of its own',
    request: () => signed('1', { ...json, 'x-event-type': '../__proto__/**' }),
    status: 200,
    data: 1,
  },
  ...Object.entries({
    gzip: gzipSync,
    'x-gzip': gzipSync,
    GZIP: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
  }).map(([encoding, compress]): Case => ({
    name: `a body in ${encoding}, signed before it was compressed`,
    request: () => ({
      ...signed('{"a":1}', { ...json, 'content-encoding': encoding }),
      body: compress('{"a":1}'),
    }),
    status: 200,
    data: { a: 1 },
  })),
  {
    name: 'an encoding of identity',
    request: () => signed('1', { ...json, 'content-encoding': 'identity' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a body of just the limit',
    request: () => signed('a'.repeat(limit)),
    status: 200,
    data: bytes('a'.repeat(limit)),
  },
  {
    name: 'a trailing slash in the path',
    request: () => signed('1', json, { path: '/webhooks/shop/' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a query behind the path',
    request: () => signed('1', json, { path: '/webhooks/shop?a=1#b' }),
    status: 200,
    data: 1,
  },
]

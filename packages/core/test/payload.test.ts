import { payloadOf, withData } from '../src/pure/payload.ts'
import type { EventRecord } from '../src/words/event.ts'

const bytes = (text: string) => Buffer.from(text)

test.each<[string, Buffer, string | undefined, unknown]>([
  ['JSON', bytes('{"a":[1]}'), 'application/json; charset=utf-8', { a: [1] }],
  ['JSON of a vendor', bytes('{"a":1}'), 'application/vnd.github+json', { a: 1 }],
  ['a bare JSON value', bytes('null'), 'application/json', null],
  ['JSON labelled as text', bytes(' {"a":1}'), 'text/plain', { a: 1 }],
  ['JSON without a label', bytes('[1]'), undefined, [1]],
  [
    'JSON behind a byte order mark',
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes('{"a":1}')]),
    'application/json',
    { a: 1 },
  ],
  ['JSON with a key twice: the last one counts', bytes('{"a":1,"a":2}'), 'application/json', { a: 2 }],
  [
    'a form',
    bytes('a=1&b=%C3%BC&a=2&a=3'),
    'application/x-www-form-urlencoded',
    { a: ['1', '2', '3'], b: 'ü' },
  ],
])('parses %s', (_, body, contentType, expected) => {
  expect(payloadOf(body, contentType)).toEqual(expected)
})

test.each<[string, Buffer, string | undefined]>([
  ['nothing', Buffer.alloc(0), 'application/json'],
  ['broken JSON', bytes('{"a":'), 'application/json'],
  ['JSON that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'application/json'],
  ['XML', bytes('<a/>'), 'application/xml'],
  ['text that happens to be a number', bytes('42'), 'text/plain'],
  ['multipart', bytes('--x\r\n\r\n--x--'), 'multipart/form-data; boundary=x'],
])('gives the bytes of %s', (_, body, contentType) => {
  expect(payloadOf(body, contentType)).toBe(body)
})

test('pollutes no prototype', () => {
  const json = payloadOf(bytes('{"__proto__":{"polluted":true}}'), 'application/json') as object
  const form = payloadOf(
    bytes('__proto__=polluted&constructor=x'),
    'application/x-www-form-urlencoded',
  ) as object
  expect(Object.getPrototypeOf(json)).toBe(Object.prototype)
  expect(Object.keys(json)).toEqual(['__proto__'])
  expect(Object.keys(form)).toEqual(['__proto__', 'constructor'])
  expect('polluted' in {}).toBe(false)
})

test('survives 100,000 levels of nesting', () => {
  expect(() => payloadOf(bytes('['.repeat(100_000) + ']'.repeat(100_000)), 'application/json')).not.toThrow()
})

test('takes a field that comes a hundred thousand times in linear time', () => {
  const before = performance.now()
  const { a } = payloadOf(bytes('a=&'.repeat(100_000)), 'application/x-www-form-urlencoded') as {
    a: string[]
  }
  expect(a).toHaveLength(100_000)
  expect(performance.now() - before).toBeLessThan(5_000) // a list copied for each takes minutes
})

test('an event parses its payload at the first look, once', () => {
  const record: EventRecord = {
    id: '1',
    source: 's',
    type: 't',
    rawType: 't',
    time: 0,
    headers: {},
    rawBody: bytes('{"a":1}'),
  }
  const event = withData(record)
  expect(event.data).toEqual({ a: 1 })
  expect(event.data).toBe(event.data)
  expect({ ...event }).toEqual({ ...record, data: { a: 1 } })
})

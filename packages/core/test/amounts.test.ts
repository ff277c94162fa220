import { bytes, milliseconds, type Duration, type Size } from '../src/words/amounts.ts'

test.each<[Duration, number]>([
  [250, 250],
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['3d', 259_200_000],
  [0, 0],
])('%j is %i milliseconds', (text, expected) => {
  expect(milliseconds(text, 'timeout')).toBe(expected)
})

test.each<[Size, number]>([
  [10, 10],
  ['512b', 512],
  ['64kb', 65_536],
  ['1mb', 1_048_576],
  ['1gb', 1_073_741_824],
])('%j is %i bytes', (text, expected) => {
  expect(bytes(text, 'limit')).toBe(expected)
})

test.each([
  '',
  '30',
  '30 s',
  's',
  '-1s',
  '1e3s',
  '30sec',
  '1w',
  'Infinitys',
  -1,
  NaN,
  Infinity,
  null,
  undefined,
  {},
  '9'.repeat(400) + 's',
])('refuses %j as a duration and names the option', (value) => {
  expect(() => milliseconds(value as Duration, 'timeout')).toThrow(/^Option "timeout" is /)
})

test('a duration may be asked to lie between two others, which are let in and named to who is outside', () => {
  const within = ['100ms', '1h'] as const
  expect(milliseconds(100, 'lease', within)).toBe(100)
  expect(milliseconds('60m', 'lease', within)).toBe(3_600_000)
  for (const value of [99, '61m'] as const) {
    expect(() => milliseconds(value, 'lease', within)).toThrow(/^Option "lease" is .*'100ms' to '1h'/)
  }
})

test.each(['1MB', '1 mb', '1m', '1kib', -1])('refuses %j as a size', (value) => {
  expect(() => bytes(value as Size, 'limit')).toThrow(/^Option "limit" is .*'64kb'/)
})

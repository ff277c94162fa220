import { stableJson } from '../src/pure/stable-json.ts'

test.each<[string, unknown, unknown]>([
  ['the order of properties', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
  ['nothing', undefined, undefined],
])('is the same whatever %s', (_, one, other) => {
  expect(stableJson(one)).toBe(stableJson(other))
})

test.each<[string, unknown, unknown]>([
  ['the order of a list', [1, 2], [2, 1]],
  ['a number from its text', { a: 1 }, { a: '1' }],
  ['nothing from null', undefined, null],
  ['one big number from another', { a: 1n }, { a: 2n }],
])('tells %s', (_, one, other) => {
  expect(stableJson(one)).not.toBe(stableJson(other))
})

test('refuses what is nested too deep to be told from another value', () => {
  const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown
  expect(() => stableJson(deep)).toThrow(/nested too deep/)
})

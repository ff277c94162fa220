import fc from 'fast-check'
import { pattern } from '../src/pure/pattern.ts'

test.each([
  ['shop:orders.create', 'shop', 'orders.create', true],
  ['shop:orders.create', 'shop', 'orders.created', false],
  ['shop:orders.create', 'till', 'orders.create', false],
  ['shop:orders.*', 'shop', 'orders.create', true],
  ['shop:orders.*', 'shop', 'orders', false],
  ['shop:orders.*', 'shop', 'orders.line.create', false],
  ['shop:orders.**', 'shop', 'orders', true],
  ['shop:orders.**', 'shop', 'orders.line.create', true],
  ['shop:**.create', 'shop', 'create', true],
  ['shop:**.create', 'shop', 'orders.line.create', true],
  ['shop:**.create', 'shop', 'orders.create.line', false],
  ['shop:*.*.create', 'shop', 'orders.line.create', true],
  ['shop:**.line.**', 'shop', 'orders.line.create', true],
  ['shop:**', 'shop', 'anything.at.all', true],
  ['*:**', 'till', 'anything', true],
  ['*:orders.*', 'till', 'orders.create', true],
])('%s hears %s:%s: %s', (text, source, type, heard) => {
  expect(pattern(text).matches(source, type)).toBe(heard)
})

test.each([
  '',
  'orders',
  'shop:',
  ':orders',
  'shop:orders.',
  'shop:or*ders',
  'shop:a b',
  'sh op:a',
  'shop:a..b',
  'shop:***',
])('refuses %j with a message that shows the form', (text) => {
  expect(() => pattern(text)).toThrow(/is not a pattern: write "source:type"/)
})

test('agrees with a translation to a regular expression', () => {
  const segment = fc.constantFrom('a', 'b', 'c')
  const wanted = fc.array(fc.oneof(segment, fc.constantFrom('*', '**')), { minLength: 1, maxLength: 6 })
  const given = fc.array(segment, { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(wanted, given, (segments, type) => {
      // every segment of the type is written with a dot behind it, so that `**` may be none of them
      const parts = segments.map((one) =>
        one === '**' ? '(?:[a-c]\\.)*' : one === '*' ? '[a-c]\\.' : `${one}\\.`,
      )
      const expected = new RegExp(`^${parts.join('')}$`).test(`${type.join('.')}.`)
      expect(pattern(`s:${segments.join('.')}`).matches('s', type.join('.'))).toBe(expected)
    }),
    { seed: 1, numRuns: 2_000 },
  )
})

test('comes to an end where wildcards pile up', () => {
  const many = pattern(`s:${'**.a.'.repeat(30)}b`)
  const startedAt = performance.now()
  expect(many.matches('s', 'a.'.repeat(90) + 'c')).toBe(false)
  expect(performance.now() - startedAt).toBeLessThan(5_000) // who tries every way takes years
})

import fc from 'fast-check'
import { explain, RequestHeaders, verify, type Source } from '@trigger-hub/core/verify'
import { optionsOf, presetOf, type Vector } from '../../../../test/vectors/run.ts'
import { covered } from './covered.ts'
import { mutated, mutation } from './mutation.ts'
import { samples, type Sample } from './samples.ts'

/**
 * Valid requests of every sender with keys, changed at one place or more. A change of what is signed must be refused,
 * and no change may make the verifier throw. `MUTATIONS` is how many, `SEED` which.
 */
const mutations = Number(process.env.MUTATIONS ?? 20_000)
const seed = Number(process.env.SEED ?? 20_260_101)

it(`refuses ${mutations} changed requests of ${new Set(samples.map(({ provider }) => provider)).size} senders, and never throws`, () => {
  let accepted = 0
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (index, changes) => {
        const sample = samples[index]!
        const { request, nowMs } = mutated(sample, changes)
        // through the source itself: verify() would turn an exception into a refusal
        const checked = sample.source.check(request, nowMs)
        expect(verify(sample.source, request, nowMs).ok).toBe(
          checked.ok && verify(sample.source, request, nowMs).ok,
        )
        if (!checked.ok) {
          expect(checked.code).toMatch(/^ERR_(SIGNATURE|TIMESTAMP)_/)
          expect(explain(sample.source, request, nowMs)?.code).toBe(checked.code)
          return
        }
        accepted++
        const original = mutated(sample, [])
        expect(covered(sample, request)).toBe(covered(sample, original.request))
      },
    ),
    { numRuns: mutations, seed },
  )
  // changes of what is not signed are accepted, so the run has looked at good signatures too
  expect(accepted).toBeGreaterThan(mutations / 100)
}, 600_000)

it('refuses a good signature under every other secret', () => {
  const others = samples.filter(({ vector }) => vector.secret !== undefined)
  // a secret may be written in two ways: with and without its prefix, hex in either case
  const plain = ({ vector }: Sample): string => (vector.secret ?? '').replace('whsec_', '').toLowerCase()
  for (const sample of others) {
    const preset = presetOf(sample.provider)!
    for (const other of others) {
      if (plain(other) === plain(sample) || other.provider !== sample.provider) continue
      if (sample.vector.config?.secretEncoding === 'hex') continue // not every text is hex
      const source = preset({ ...optionsOf(preset, sample.vector), secret: other.vector.secret })
      const { request, nowMs } = mutated(sample, [])
      expect(source.check(request, nowMs).ok).toBe(false)
    }
  }
})

it('takes time in proportion to the input, whatever it is full of', () => {
  const one = (
    source: Source,
    vector: Vector,
    header: string | undefined,
    filling: string,
    length: number,
  ): number => {
    const text = filling.repeat(Math.ceil(length / filling.length))
    const lines = Object.entries(vector.headers).map(([name, value]) => [
      name,
      name === header ? text : [value].flat()[0]!,
    ])
    const request = {
      method: vector.method,
      url: header === undefined ? `${vector.url}?${text}` : vector.url,
      headers: new RequestHeaders(lines.flat()),
      rawBody: Buffer.from(text),
    }
    const begun = process.cpuUsage() // of this process, as others use the machine
    verify(source, request, vector.now * 1_000)
    return process.cpuUsage(begun).user / 1_000
  }
  const fillings = [
    'a',
    ' ',
    ',',
    ';',
    '=',
    '"',
    '\\',
    '.',
    '%',
    '(',
    ':',
    'v1=,',
    '"weight":1 ',
    '{"a":',
    '["',
    '\t,',
    '--b\r\n',
    '&a',
  ]
  const slow: string[] = []
  const firsts = samples.filter(({ provider }, index) => samples[index - 1]?.provider !== provider)
  for (const { provider, source, vector } of firsts) {
    const { scheme } = source.preset
    const names = 'signature' in scheme ? [scheme.signature.header] : Object.keys(vector.headers).slice(0, 4)
    for (const header of [undefined, ...names]) {
      for (const filling of fillings) {
        // 32 kB takes a few milliseconds; what is quadratic takes a second. The better of two, for the first one compiles
        if (one(source, vector, header, filling, 32_768) < 150) continue
        if (one(source, vector, header, filling, 32_768) >= 150)
          slow.push(`${provider}, ${header}: ${filling}`)
      }
    }
  }
  expect(slow).toEqual([])
}, 120_000)

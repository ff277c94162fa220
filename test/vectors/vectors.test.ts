import { presetOf, vectorFiles, verdictOf } from './run.ts'

const files = vectorFiles(__dirname).filter(({ provider }) => presetOf(provider))

describe.each(files)('$provider', ({ provider, vectors }) => {
  const binding = vectors.filter(({ latitude }) => latitude === undefined)

  it.each(binding)('$expect: $name', (vector) => {
    expect(verdictOf(presetOf(provider)!, vector).verdict).toBe(vector.expect)
  })

  it('is the stricter one where both verdicts are acceptable', () => {
    const lax = vectors.filter(
      (vector) => vector.latitude && vector.expect === 'invalid' && verdictOf(presetOf(provider)!, vector).verdict === 'valid',
    )
    expect(lax.map(({ name }) => name)).toEqual([])
  })
})

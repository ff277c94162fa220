import { presetOf, vectorFiles, verdictOf } from './run.ts'

const files = vectorFiles(__dirname)

it('has a preset for every provider of the vectors', () => {
  expect(files.filter(({ provider }) => !presetOf(provider)).map(({ provider }) => provider)).toEqual([])
})

// Where both verdicts are acceptable, these alone are accepted although refusing is recommended.
const lenient: Record<string, string[]> = {
  // Paddle documents several signatures while a secret is replaced; its SDK looks at the last one only
  paddle: ['rotation: two h1 signatures, first matches'],
}

describe.each(files)('$provider', ({ provider, vectors }) => {
  const preset = presetOf(provider)!

  it.each(vectors.filter(({ latitude }) => latitude === undefined))('$expect: $name', (vector) => {
    expect(verdictOf(preset, vector).verdict).toBe(vector.expect)
  })

  it('accepts nothing beyond what is recommended where both verdicts are acceptable', () => {
    const accepted = vectors.filter(
      (vector) => vector.latitude && vector.expect === 'invalid' && verdictOf(preset, vector).verdict === 'valid',
    )
    expect(accepted.map(({ name }) => name)).toEqual(lenient[provider] ?? [])
  })
})

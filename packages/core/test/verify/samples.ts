import { join } from 'node:path'
import type { Source } from '@trigger-hub/core/verify'
import { optionsOf, presetOf, vectorFiles, type Vector } from '../../../../test/vectors/run.ts'

/** A valid request of a sender with keys. */
export interface Sample {
  provider: string
  vector: Vector
  source: Source
  headers: [string, string][]
  body: Buffer
}

/** Up to eight of every sender. */
export const samples = vectorFiles(join(__dirname, '../../../../test/vectors')).flatMap(
  ({ provider, vectors }): Sample[] => {
    const preset = presetOf(provider)!
    return vectors
      .filter(({ expect, latitude }) => expect === 'valid' && !latitude)
      .slice(0, 8)
      .map((vector) => ({
        provider,
        vector,
        source: preset(optionsOf(preset, vector)),
        headers: Object.entries(vector.headers).flatMap(([name, value]) =>
          [value].flat().map((one): [string, string] => [name, one]),
        ),
        body: Buffer.from(vector.bodyBase64, 'base64'),
      }))
  },
)

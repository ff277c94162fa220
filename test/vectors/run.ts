import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as sources from '@trigger-hub/core/sources'
import { RequestHeaders, verify, type Source } from '@trigger-hub/core/verify'
import { spellings } from './spellings.ts'

/** A request as it would reach a receiver, what the receiver holds, and the verdict that it should give. */
export interface Vector {
  name: string
  method: string
  url: string
  headers: Record<string, string | string[]>
  bodyBase64: string
  /** Clock of the receiver, Unix seconds. */
  now: number
  expect: 'valid' | 'invalid'
  reason?: string
  /** Both verdicts are acceptable. */
  latitude?: 'either'
  secret?: string
  secrets?: string[]
  publicKey?: string
  jwks?: unknown
  certificates?: Record<string, string>
  config?: Record<string, unknown>
}

export interface VectorFile {
  provider: string
  vectors: Vector[]
}

/** Every file of signature vectors in a folder, by name; `index.json` and the handshakes are something else. */
export const vectorFiles = (folder: string): VectorFile[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'index.json' && name !== 'handshakes.json')
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as VectorFile)

export type Preset = (options: object) => Source

/** The exported function of a provider: `standard-webhooks` is `standardWebhooks`. */
export function presetOf(provider: string): Preset | undefined {
  const name =
    provider === 'generic-hmac' ? 'hmac' : provider.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return (sources as unknown as Record<string, Preset | undefined>)[name]
}

/** What the receiver of a vector is configured with: its key material, and the settings that the preset has. */
export function optionsOf(preset: Preset, vector: Vector): object {
  const { config = {}, secret, secrets, publicKey, jwks, certificates } = vector
  const given = Object.entries({ secret: secrets ?? secret, publicKey, jwks, certificates, ...config })
  let options: Record<string, unknown> = {}
  for (const [name, value] of given) {
    if (value === undefined) continue
    const fitting = spellings(name, value).find(
      ([option, as]) => refusalOf(() => preset({ ...options, [option]: as })) !== 'ERR_OPTION_UNKNOWN',
    )
    if (!fitting) continue
    const [option, as] = fitting
    const before = options[option]
    options = { ...options, [option]: before === undefined ? as : [before, as].flat() }
  }
  return options
}

/** The code with which a preset refuses its options, or what it threw instead: an exception accepts nothing. */
function refusalOf(make: () => unknown): string | undefined {
  try {
    make()
    return undefined
  } catch (error) {
    const { code } = error as { code?: string }
    return code ?? String(error)
  }
}

/** The verdict, with the code of a refusal. A source that cannot be configured like this accepts nothing. */
export function verdictOf(preset: Preset, vector: Vector): { verdict: 'valid' | 'invalid'; code?: string } {
  const options = optionsOf(preset, vector)
  const code = refusalOf(() => preset(options))
  if (code !== undefined) return { verdict: 'invalid', code }
  const request = {
    method: vector.method,
    url: vector.url,
    headers: RequestHeaders.from(vector.headers),
    rawBody: Buffer.from(vector.bodyBase64, 'base64'),
  }
  const verification = verify(preset(options), request, vector.now * 1_000)
  return verification.ok ? { verdict: 'valid' } : { verdict: 'invalid', code: verification.code }
}

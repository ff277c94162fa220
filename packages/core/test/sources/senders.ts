import { generateKeyPairSync } from 'node:crypto'
import { RequestHeaders, sign, type Source } from '@trigger-hub/core/verify'
import { presetOf } from '../../../../test/vectors/run.ts'
import { presets } from '../../src/sources/presets.ts'

export const url = 'https://hooks.example.com/a'
export const nowMs = Date.parse('2026-01-01T00:00:00Z')
const pem = (type: 'spki' | 'pkcs8', key: { export(options: object): string | Buffer }): string =>
  key.export({ format: 'pem', type }) as string
const pairs = {
  ed25519: generateKeyPairSync('ed25519'),
  'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'rsa-sha256': generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

/** What a sender's signature needs beside the body, where it is not in the record. */
const beside: Record<string, { headers?: Record<string, string>; claims?: object; options?: object }> = {
  pusher: { options: { secret: undefined, keys: [{ key: 'key-a', secret: 'a secret of pusher' }] } },
  box: { options: { secret: undefined, primaryKey: 'a key of box' } },
  monday: {
    options: { audience: 'https://hooks.example.com/a' },
    claims: { aud: 'https://hooks.example.com/a' },
  },
  'atlassian-connect': { options: { clientKey: 'client' } },
  qstash: { claims: { sub: 'https://hooks.example.com/a' } },
  vonage: { claims: { jti: '1' } },
  plivo: {
    headers: { 'x-plivo-signature-v3-nonce': '12345', 'content-type': 'application/x-www-form-urlencoded' },
  },
  twilio: { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  contentful: {
    headers: { 'x-contentful-signed-headers': 'x-contentful-signed-headers,x-contentful-timestamp' },
  },
}
/** Tokens that cover more than a record can say are made in their vectors, not here. */
const unsealed = ['atlassian-connect', 'messagebird']

const secretFor = ({ scheme }: (typeof presets)[number]): string =>
  'secretEncoding' in scheme && scheme.secretEncoding === 'base64'
    ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    : 'secretEncoding' in scheme && scheme.secretEncoding === 'hex'
      ? '00112233445566778899aabbccddeeff'
      : 'a secret of the sender'

function configured(preset: (typeof presets)[number]): Source | undefined {
  const { scheme, provider } = preset
  if (scheme.kind === 'own' || unsealed.includes(provider)) return undefined
  const key =
    scheme.kind === 'asymmetric'
      ? { publicKey: pem('spki', pairs[scheme.algorithm].publicKey) }
      : { secret: secretFor(preset) }
  const options = Object.entries({ ...key, ...beside[provider]?.options }).filter(
    ([, value]) => value !== undefined,
  )
  return ['google-pubsub', 'plaid'].includes(provider)
    ? undefined
    : presetOf(provider)!(Object.fromEntries(options))
}

/** Presets that a receiver can sign for, configured. */
export const sealing = presets.flatMap((preset) => {
  const source = configured(preset)
  return source?.seal ? [{ provider: preset.provider, preset, source }] : []
})

/** The headers with which the sender would send a body. */
export function signedHeaders({ provider, preset, source }: (typeof sealing)[number], body: string) {
  const { scheme } = preset
  const { headers, claims } = beside[provider] ?? {}
  return sign(source, {
    rawBody: Buffer.from(body),
    nowMs,
    url,
    ...(headers ? { headers } : {}),
    ...(claims ? { claims: claims as Record<string, unknown> } : {}),
    ...(scheme.kind === 'asymmetric' ? { privateKey: pem('pkcs8', pairs[scheme.algorithm].privateKey) } : {}),
  })
}

/** A request as the sender would make it. */
export const signedRequest = (sender: (typeof sealing)[number], body: string) => ({
  method: 'POST',
  url,
  headers: RequestHeaders.from(signedHeaders(sender, body)),
  rawBody: Buffer.from(body),
})

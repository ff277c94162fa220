import { generateKeyPairSync } from 'node:crypto'
import {
  signedRequest as signed,
  type Message,
  type SignedRequest,
  type Source,
} from '@trigger-hub/core/verify'
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

/** Senders whose receiver holds what checks a signature and not what makes one. */
export const keyless = ['aws-sns', 'google-pubsub', 'paypal', 'plaid', 'truelayer']

const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** What a sender needs beside a secret and any body, where it is not in the record. */
const beside: Record<string, { options?: object; headers?: Record<string, string>; body?: string }> = {
  adyen: { body: '{"notificationItems":[{"NotificationRequestItem":{"pspReference":"1"}}]}' },
  'atlassian-connect': { options: { clientKey: 'client' } },
  box: { options: { secret: undefined, primaryKey: 'a key of box' } },
  braintree: { options: { secret: undefined, publicKey: 'public', privateKey: 'private' } },
  contentful: {
    headers: { 'x-contentful-signed-headers': 'x-contentful-signed-headers,x-contentful-timestamp' },
  },
  mandrill: { headers: form, body: 'b=2&a=1' },
  'microsoft-graph': { body: '{"value":[{"id":"1"}]}' },
  monday: { options: { audience: url } },
  plivo: { headers: { 'x-plivo-signature-v3-nonce': '12345', ...form }, body: 'b=2&a=1' },
  pusher: { options: { secret: undefined, keys: [{ key: 'key-a', secret: 'a secret of pusher' }] } },
  rfc9421: {
    options: {
      secret: undefined,
      keys: { 'key-1': { alg: 'hmac-sha256', secretBase64: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } },
      requiredComponents: ['@method', '@target-uri', 'content-digest'],
    },
  },
  twilio: { headers: form, body: 'b=2&a=1' },
}

const secretFor = ({ scheme, provider }: (typeof presets)[number]): string =>
  'secretEncoding' in scheme && scheme.secretEncoding === 'base64'
    ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    : provider === 'adyen' || ('secretEncoding' in scheme && scheme.secretEncoding === 'hex')
      ? '00112233445566778899aabbccddeeff'
      : 'a secret of the sender'

function configured(preset: (typeof presets)[number]): Source {
  const { scheme, provider } = preset
  const key =
    scheme.kind === 'asymmetric'
      ? { publicKey: pem('spki', pairs[scheme.algorithm].publicKey) }
      : { secret: secretFor(preset) }
  const options = Object.entries({ ...key, ...beside[provider]?.options })
  return presetOf(provider)!(Object.fromEntries(options.filter(([, value]) => value !== undefined)))
}

/** Presets that a receiver can sign for, configured. */
export const sealing = presets
  .filter(({ provider }) => !keyless.includes(provider))
  .map((preset) => ({ provider: preset.provider, preset, source: configured(preset) }))

/** A body that this sender could send. */
export const bodyOf = (provider: string): string =>
  beside[provider]?.body ?? `{"id":"1","webhookTimestamp":${nowMs},"value":[]}`

/** A request as the sender would make it. */
export function signedRequest(
  { provider, preset, source }: (typeof sealing)[number],
  body = bodyOf(provider),
): SignedRequest {
  const { scheme } = preset
  const message: Message = {
    rawBody: Buffer.from(body),
    nowMs,
    url,
    ...(beside[provider]?.headers && { headers: beside[provider].headers }),
    ...(scheme.kind === 'asymmetric' ? { privateKey: pem('pkcs8', pairs[scheme.algorithm].privateKey) } : {}),
  }
  return signed(source, message)
}

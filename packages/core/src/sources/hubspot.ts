import { oneOf, optionsOf } from '../words/options.ts'
import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { PublicUrlOption } from '../verify/public-url.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'

const plainHash = (version: 'v1' | 'v2', signed: string): HashScheme => ({
  kind: 'hash',
  algorithm: 'sha256',
  signature: { header: 'x-hubspot-signature', encoding: 'hex' },
  signed,
  requires: { 'x-hubspot-signature-version': version },
})

/** The three ways in which HubSpot signs; the app's settings and the kind of webhook decide which. */
const hubspotSchemes = {
  v1: plainHash('v1', '{secret}{body}'),
  v2: plainHash('v2', '{secret}{method}{url}{body}'),
  v3: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hubspot-signature-v3', encoding: 'base64' },
    signed: '{method}{url}{body}{timestamp}',
    timestamp: { header: 'x-hubspot-request-timestamp', unit: 'ms', toleranceMs: 300_000 },
  },
} as const satisfies Record<string, HashScheme>

export const hubspotPreset: HashPreset = {
  provider: 'hubspot',
  title: 'HubSpot',
  docs: 'https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests',
  scheme: hubspotSchemes.v3,
  key: [{ body: '0.eventId' }, { body: '0.subscriptionId' }, { body: '0.attemptNumber' }],
  keySigned: true,
  type: { body: '0.subscriptionType' },
  answerWithinMs: 5_000,
  retries: 'up to 10 times within 24 hours',
  pitfalls: [
    'Version 3 signs the URL: set publicUrl behind a proxy.',
    'Versions 1 and 2 have no timestamp, so a captured request can be sent again for ever.',
    'One request may hold up to 100 events; key and type are those of the first one.',
  ],
}

export interface HubspotOptions extends TimedSecretOptions, PublicUrlOption {
  /** The signature to accept, and no other. Default `'v3'`. */
  readonly version?: 'v1' | 'v2' | 'v3'
}

/** Webhooks and workflow calls of a HubSpot app. The secret is the app's client secret. */
export function hubspot<Events = Record<string, unknown>>(given: HubspotOptions): Source<Events> {
  const { version = 'v3', ...options } = optionsOf('hubspot', given)
  oneOf('hubspot.version', version, ['v1', 'v2', 'v3'])
  return hashSource({ ...hubspotPreset, scheme: hubspotSchemes[version] }, options)
}

import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'

const signedIn = (header: string): HashScheme => ({
  kind: 'hmac',
  algorithm: 'sha256',
  signature: { header, encoding: 'hex' },
  signed: '{body}',
})

export const sentryPreset: HashPreset = {
  provider: 'sentry',
  title: 'Sentry',
  docs: 'https://docs.sentry.io/organization/integrations/integration-platform/webhooks/',
  scheme: { ...signedIn('sentry-hook-signature'), otherwise: signedIn('sentry-app-signature') },
  key: { header: 'request-id' },
  keySigned: false,
  type: [{ header: 'sentry-hook-resource' }, { body: 'action' }],
  headers: ['sentry-hook-resource', 'sentry-hook-timestamp', 'request-id'],
  answerWithinMs: 1_000,
  retries: 'none',
  pitfalls: [
    'The timestamp and the request id are in headers that are not signed.',
    'Sentry waits one second.',
    'Requests of UI components are signed in Sentry-App-Signature, and some of them have an empty body.',
  ],
}

/** Webhooks of a Sentry integration. The secret is the integration's client secret. */
export const sentry = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(sentryPreset, options)

import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const webflowPreset: HashPreset = {
  provider: 'webflow',
  title: 'Webflow',
  docs: 'https://developers.webflow.com/data/docs/working-with-webhooks#validating-request-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-webflow-signature', encoding: 'hex' },
    signed: '{timestamp}:{body}',
    timestamp: { header: 'x-webflow-timestamp', unit: 'ms', toleranceMs: 300_000 },
  },
  keySigned: false,
  type: { body: 'triggerType' },
  retries: '3 more times, 10 minutes apart',
  pitfalls: ['Webhooks that were made in the dashboard before April 2025 are not signed.'],
}

/** Webhooks of a Webflow site. The secret is the webhook's, or the app's client secret when it made the webhook. */
export const webflow = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(webflowPreset, options)

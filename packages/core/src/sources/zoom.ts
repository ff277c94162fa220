import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const zoomPreset: HashPreset = {
  provider: 'zoom',
  title: 'Zoom',
  docs: 'https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-zm-signature', prefix: 'v0=', encoding: 'hex' },
    signed: 'v0:{timestamp}:{body}',
    timestamp: { header: 'x-zm-request-timestamp', unit: 's', toleranceMs: 300_000 },
  },
  keySigned: false,
  type: { body: 'event' },
  headers: ['x-zm-trackingid'],
  answerWithinMs: 3_000,
  handshakes: [
    {
      verified: true,
      when: [{ at: { body: 'event' }, is: 'endpoint.url_validation' }],
      reply: {
        status: 200,
        json: {
          plainToken: { body: 'payload.plainToken' },
          encryptedToken: { hmac: { body: 'payload.plainToken' }, encoding: 'hex' },
        },
      },
    },
  ],
  retries: '3 times: after 5, 30 and 90 minutes',
  pitfalls: [
    'Zoom validates the URL again every 72 hours.',
    'Some of its libraries hash a body that was parsed and written anew; this hashes what came.',
  ],
}

/** Event subscriptions of a Zoom app. The secret is the app's secret token. */
export const zoom = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(zoomPreset, options)

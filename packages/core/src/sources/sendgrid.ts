import { asymmetricSource, type AsymmetricPreset, type TimedPublicKeyOptions } from '../verify/asymmetric.ts'
import type { Source } from '../verify/source.ts'

export const sendgridPreset: AsymmetricPreset = {
  provider: 'sendgrid',
  title: 'Twilio SendGrid',
  docs: 'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
  scheme: {
    kind: 'asymmetric',
    algorithm: 'ecdsa-p256-sha256',
    signature: { header: 'x-twilio-email-event-webhook-signature', encoding: 'base64' },
    signed: '{timestamp}{body}',
    timestamp: { header: 'x-twilio-email-event-webhook-timestamp', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: '0.sg_event_id' },
  keySigned: true,
  type: { body: '0.event' },
  retries: 'for up to 24 hours, more often at first',
  pitfalls: [
    'Bodies end with CR LF, which is signed.',
    'One request holds many events; key and type are those of the first one.',
    'SendGrid names no tolerance; this refuses what is older than 5 minutes.',
  ],
}

/** Event webhooks of SendGrid. The key is the verification key of the settings, base64 or PEM. */
export const sendgrid = <Events = Record<string, unknown>>(options: TimedPublicKeyOptions): Source<Events> =>
  asymmetricSource(sendgridPreset, options)

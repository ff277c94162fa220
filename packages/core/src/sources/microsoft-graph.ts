import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const microsoftGraphPreset: TokenPreset = {
  provider: 'microsoft-graph',
  title: 'Microsoft Graph',
  docs: 'https://learn.microsoft.com/graph/change-notifications-delivery-webhooks',
  scheme: { kind: 'token', token: { body: 'value.*.clientState' } },
  keySigned: false,
  type: [{ body: 'value.0.changeType' }],
  answerWithinMs: 3_000,
  ackStatus: 202,
  handshakes: [
    {
      verified: false,
      when: [{ at: { query: 'validationToken' } }],
      reply: { status: 200, text: { query: 'validationToken' } },
    },
  ],
  retries: 'for 4 hours, backing off; slow endpoints are throttled',
  pitfalls: [
    'Every notification of a batch must have the clientState; it covers nothing.',
    'The answer to a validation must come within 10 seconds.',
  ],
}

/** Change notifications of Microsoft Graph. The secret is the `clientState` that was given when subscribing. */
export const microsoftGraph = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  tokenSource(microsoftGraphPreset, options)

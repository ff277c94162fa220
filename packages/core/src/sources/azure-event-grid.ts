import type { SecretOptions } from '../verify/hash.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'
import type { Source } from '../verify/source.ts'
import { invalidOption, optionsOf } from '../words/options.ts'

export const azureEventGridPreset: TokenPreset = {
  provider: 'azure-event-grid',
  title: 'Azure Event Grid',
  docs: 'https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema',
  scheme: { kind: 'token', token: { query: 'token' } },
  key: { body: '0.id' },
  keySigned: false,
  type: { body: '0.eventType' },
  headers: ['aeg-event-type', 'aeg-subscription-name', 'aeg-delivery-count', 'ce-type', 'ce-id', 'ce-source'],
  answerWithinMs: 30_000,
  handshakes: [
    {
      verified: false,
      when: [
        { at: { header: 'aeg-event-type' }, is: 'SubscriptionValidation' },
        { at: { body: '0.eventType' }, is: 'Microsoft.EventGrid.SubscriptionValidationEvent' },
      ],
      reply: { status: 200, json: { validationResponse: { body: '0.data.validationCode' } } },
    },
    {
      verified: false,
      method: 'OPTIONS',
      when: [{ at: { header: 'webhook-request-origin' } }],
      known: { option: 'allowedOrigins', at: { header: 'webhook-request-origin' } },
      reply: {
        status: 200,
        headers: {
          'webhook-allowed-origin': { header: 'webhook-request-origin' },
          'webhook-allowed-rate': { text: '*' },
          allow: { text: 'POST' },
        },
      },
    },
  ],
  retries: 'for up to 24 hours, backing off; 400, 401 and 413 end in the dead letters at once',
  rotation: 'Add the new token here, change the URL of the subscription, remove the old one.',
  pitfalls: [
    'Event Grid signs nothing: put ?token=… with the secret into the URL of the subscription.',
    'Requests may hold several events; key and type are those of the first one.',
  ],
}

export interface AzureEventGridOptions extends SecretOptions {
  /** Senders that may subscribe with the CloudEvents schema. Default `['eventgrid.azure.net']`. */
  readonly allowedOrigins?: readonly string[]
}

/** Event Grid subscriptions, in its own schema and in CloudEvents. The secret is a `token` in the query of the URL. */
export function azureEventGrid<Events = Record<string, unknown>>(
  given: AzureEventGridOptions,
): Source<Events> {
  const { allowedOrigins = ['eventgrid.azure.net'], ...options } = optionsOf('azure-event-grid', given)
  if (!Array.isArray(allowedOrigins)) {
    throw invalidOption('azure-event-grid.allowedOrigins', allowedOrigins, 'a list of hosts')
  }
  return {
    ...tokenSource<Events>(azureEventGridPreset, options),
    knows: { holds: (_, text) => allowedOrigins.includes(text) },
  }
}

import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const circleciPreset: HashPreset = {
  provider: 'circleci',
  title: 'CircleCI',
  docs: 'https://circleci.com/docs/webhooks/#validate-webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'circleci-signature', separator: ',', prefix: 'v1=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['circleci-event-type'],
  answerWithinMs: 5_000,
  retries: 'again after a non-2xx answer or a timeout',
  pitfalls: ['The header may list later versions beside v1; those are ignored.'],
}

/** Outbound webhooks of CircleCI projects. */
export const circleci = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(circleciPreset, options)

import { createPublicKey, X509Certificate } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { publishedKeys, type KeySetOptions } from '../verify/key-sets.ts'
import { jwtSource, publicKeyOf, type JwtPreset, type TokenKey } from '../verify/jwt.ts'
import { required } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

const published = 'https://www.googleapis.com/oauth2/v3/certs'

export const googlePubsubPreset: JwtPreset = {
  provider: 'google-pubsub',
  title: 'Google Cloud Pub/Sub push',
  docs: 'https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions',
  scheme: {
    kind: 'jwt',
    header: 'authorization',
    prefix: 'Bearer ',
    algorithm: 'RS256',
    issuer: ['https://accounts.google.com', 'accounts.google.com'],
    required: ['aud', 'email', 'exp', 'iat'],
    leewayMs: 300_000,
  },
  key: { body: 'message.messageId' },
  keySigned: false,
  type: [{ text: 'message' }, { body: 'message.attributes.eventType' }],
  answerWithinMs: 10_000,
  retries: 'until the message is acknowledged or its retention ends, as the retry policy says',
  rotation:
    'Google changes its keys every few days and publishes them at https://www.googleapis.com/oauth2/v3/certs; fetch: true gets them, or hand them in as jwks.',
  pitfalls: ['The token proves the sender and says nothing of the body.'],
}

export interface GooglePubsubOptions extends KeySetOptions {
  /** The audience of the push subscription: by default its endpoint URL. */
  readonly audience: string
  /** The service account of the push subscription. */
  readonly serviceAccountEmail: string
  /** Instead of `jwks`: key id to PEM. */
  readonly certificates?: Readonly<Record<string, string>>
}

/** Push subscriptions of Pub/Sub with an OIDC token. */
export function googlePubsub<Events = Record<string, unknown>>(options: GooglePubsubOptions): Source<Events> {
  knownOptions('google-pubsub', options, ['audience', 'serviceAccountEmail', 'jwks', 'certificates', 'fetch'])
  const audience = required('google-pubsub', 'audience', options.audience)
  const account = required('google-pubsub', 'serviceAccountEmail', options.serviceAccountEmail)
  const keys = options.certificates
    ? keysOf(options.certificates)
    : publishedKeys(googlePubsubPreset, options, published)
  return jwtSource(googlePubsubPreset, keys, ({ aud, email, email_verified: verified }) =>
    aud !== audience
      ? 'The token is for another audience than the configured one.'
      : email !== account || verified !== true
        ? 'The token is not of the configured service account.'
        : undefined,
  )
}

const keysOf = (certificates: Readonly<Record<string, string>>): TokenKey[] =>
  Object.entries(certificates).map(([id, pem]) => ({
    id,
    key: publicKeyOf('google-pubsub', 'certificates', () =>
      pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem),
    ),
  }))

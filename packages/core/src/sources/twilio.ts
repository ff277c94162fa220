import { createHash } from 'node:crypto'
import { sameText } from '../verify/encodings.ts'
import { either } from '../verify/either.ts'
import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import { publicUrl, publicUrlOf, queryOf } from '../verify/public-url.ts'
import type { SignedRequest, Source } from '../verify/source.ts'
import { sortedFields } from '../verify/form.ts'
import { optionsOf } from '../words/options.ts'

export const twilioPreset: HashPreset = {
  provider: 'twilio',
  title: 'Twilio',
  docs: 'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha1',
    signature: { header: 'x-twilio-signature', encoding: 'base64' },
    signed: '{url}{sortedParameters}',
  },
  key: { header: 'i-twilio-idempotency-token' },
  keySigned: false,
  type: [{ text: 'twilio' }, { body: 'EventType' }],
  headers: ['i-twilio-idempotency-token'],
  answerWithinMs: 15_000,
  retries: 'as the connection overrides of the URL say; once on a failed connection by default',
  rotation:
    'Promote a secondary auth token: Twilio signs with the primary one, so keep both here for a moment.',
  pitfalls: [
    'Names and values of a form are signed with nothing between them, so who captures a request can move a boundary.',
    'The URL is signed: set publicUrl behind a proxy.',
    'A JSON body is covered by a hash in the query, bodySHA256; one without it is refused, although the SDK lets it pass.',
    'Calls want TwiML in the answer: use ack "sync".',
  ],
}

/** Callbacks of Twilio. The secret is the auth token of the account. */
export function twilio<Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> {
  const configured = publicUrlOf('twilio', optionsOf('twilio', options))
  const known = new WeakMap<SignedRequest, string | undefined>() // the same for each way to write the URL
  const parameters = (request: SignedRequest): string | undefined => {
    if (!known.has(request)) known.set(request, sortedParameters(request))
    return known.get(request)
  }
  const signing = (rewrite: (url: string) => string): Source<Events> =>
    hashSource(twilioPreset, options, {
      url: (request) => rewrite(publicUrl(request, configured)),
      sortedParameters: parameters,
    })
  // some URLs are signed without the port that is called, and some with the port that is the default
  return either(
    signing((url) => url),
    signing(withoutPort),
    signing(withDefaultPort),
  )
}

/**
 * Nothing for a body whose hash is in the query, and then it must be that body, also an empty one; the parameters of a
 * form; absent for a body that nothing covers.
 */
function sortedParameters(request: SignedRequest): string | undefined {
  const query = queryOf(request.url)
  if (query.includes('bodySHA256=')) {
    const [hash = '', ...more] = new URLSearchParams(query).getAll('bodySHA256')
    const expected = createHash('sha256').update(request.rawBody).digest('hex')
    return more.length === 0 && sameText(hash, expected) ? '' : undefined
  }
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers.get('content-type') ?? '')
  if (isForm) return sortedFields(request.rawBody, { unique: true })
  return request.rawBody.length === 0 ? '' : undefined
}

const authority = /^(https?):\/\/([^/?#]*)/i

const withoutPort = (url: string): string =>
  url.replace(authority, (origin) => origin.replace(/:\d{1,5}$/, ''))

const withDefaultPort = (url: string): string =>
  url.replace(authority, (origin, scheme: string) =>
    /:\d{1,5}$/.test(origin) ? origin : `${origin}:${scheme.toLowerCase() === 'https' ? 443 : 80}`,
  )

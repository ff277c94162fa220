import { sortedFields } from '../verify/form.ts'
import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import { publicUrl, queryOf } from '../verify/public-url.ts'
import type { SignedRequest, Source } from '../verify/source.ts'

export const plivoPreset: HashPreset = {
  provider: 'plivo',
  title: 'Plivo',
  docs: 'https://www.plivo.com/docs/voice/concepts/signature-validation',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-plivo-signature-v3', separator: ',', encoding: 'base64' },
    signed: '{url}{parameters}.{header:x-plivo-signature-v3-nonce}',
  },
  key: [{ body: 'CallUUID' }, { body: 'MessageUUID' }],
  keySigned: true,
  type: { body: 'Event' },
  answerWithinMs: 15_000,
  retries: 'once a minute, up to 3 times',
  rotation: 'The header lists a signature for every active auth token.',
  pitfalls: [
    'Names and values of a form are signed with nothing between them, so who captures a request can move a boundary.',
    'The URL is signed: set publicUrl behind a proxy.',
    'Only forms are covered; a request with another body is refused.',
  ],
}

/** Voice callbacks of Plivo, signature version 3. The secret is the auth token. */
export const plivo = <Events = Record<string, unknown>>({
  publicUrl: configured,
  ...options
}: UrlSecretOptions): Source<Events> =>
  hashSource(plivoPreset, options, {
    url: (request) => publicUrl(request, configured).replace(/[?#].*$/s, ''),
    parameters,
  })

/** The sorted query, and the sorted fields of the form. */
function parameters(request: SignedRequest): string | undefined {
  const { headers, method, rawBody, url } = request
  const query = [...new URLSearchParams(queryOf(url))].map(([name, value]) => `${name}=${value}`).sort()
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')
  if (rawBody.length > 0 && (!isForm || method === 'GET')) return undefined
  const fields = sortedFields(rawBody)
  if (query.length === 0) return fields === '' ? '' : `?${fields}`
  return `?${query.join('&')}${fields === '' ? '' : `.${fields}`}`
}

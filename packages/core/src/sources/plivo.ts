import { oneOf, optionsOf } from '../words/options.ts'
import { sortedFields } from '../verify/form.ts'
import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import { publicUrl, publicUrlOf, queryOf } from '../verify/public-url.ts'
import type { SignedRequest, Source } from '../verify/source.ts'

/** The two ways in which Plivo signs; most requests come with both, and only version 3 covers the body. */
const schemes = {
  v2: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-plivo-signature-v2', encoding: 'base64' },
    signed: '{url}{header:x-plivo-signature-v2-nonce}',
  },
  v3: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-plivo-signature-v3', separator: ',', encoding: 'base64' },
    signed: '{url}{parameters}.{header:x-plivo-signature-v3-nonce}',
  },
} as const satisfies Record<string, HashScheme>

export const plivoPreset: HashPreset = {
  provider: 'plivo',
  title: 'Plivo',
  docs: 'https://www.plivo.com/docs/voice/concepts/signature-validation',
  scheme: schemes.v3,
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
    "Messages may come with version 2 alone (version: 'v2'), which covers neither query nor body.",
  ],
}

export interface PlivoOptions extends UrlSecretOptions {
  /** The signature to accept, and no other. Default `'v3'`. */
  readonly version?: 'v2' | 'v3'
}

/** Callbacks of Plivo. The secret is the auth token. */
export function plivo<Events = Record<string, unknown>>(given: PlivoOptions): Source<Events> {
  const { publicUrl: _, version = 'v3', ...options } = optionsOf('plivo', given)
  const configured = publicUrlOf('plivo', given)
  oneOf('plivo.version', version, ['v2', 'v3'])
  const preset = { ...plivoPreset, keySigned: version === 'v3', scheme: schemes[version] }
  return hashSource(preset, options, {
    url: (request) => publicUrl(request, configured).replace(/[?#].*$/s, ''),
    parameters,
  })
}

/** The sorted query, and the sorted fields of the form. */
function parameters(request: SignedRequest): string | undefined {
  const { headers, method, rawBody, url } = request
  const query = [...new URLSearchParams(queryOf(url))]
    .map(([name, value]) => `${name}\0${value}`) // sorts by name first
    .sort()
    .map((field) => field.replace('\0', '='))
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')
  if (rawBody.length > 0 && (!isForm || method === 'GET')) return undefined
  const fields = sortedFields(rawBody)
  if (query.length === 0) return fields === '' ? '' : `?${fields}`
  return `?${query.join('&')}${fields === '' ? '' : `.${fields}`}`
}

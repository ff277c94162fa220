import { one } from '../verify/claims.ts'
import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import { pathOf, queryOf } from '../verify/public-url.ts'
import type { SignedRequest, Source } from '../verify/source.ts'

const timestampHeader = 'x-contentful-timestamp'
const listHeader = 'x-contentful-signed-headers'

export const contentfulPreset: HashPreset = {
  provider: 'contentful',
  title: 'Contentful',
  docs: 'https://www.contentful.com/developers/docs/extensibility/webhooks/request-verification',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-contentful-signature', encoding: 'hex' },
    signed: '{method}\n{encodedPath}\n{signedHeaders}\n{body}',
    timestamp: { header: timestampHeader, unit: 'ms', toleranceMs: 30_000 },
  },
  key: { header: 'x-contentful-idempotency-key' },
  keySigned: false,
  type: { header: 'x-contentful-topic' },
  headers: [
    'x-contentful-topic',
    'x-contentful-webhook-name',
    'x-contentful-event-datetime',
    'x-contentful-idempotency-key',
  ],
  answerWithinMs: 30_000,
  retries: '2 more times on a timeout, 429 or 5xx, 30 seconds apart',
  pitfalls: [
    'The path is signed as Contentful calls it: a proxy must not change it.',
    'Contentful allows 30 seconds between signing and checking. Set tolerance to be more patient.',
    'The idempotency key counts as unsigned, since the sender chooses which headers are signed.',
  ],
}

/** Webhooks and app requests of Contentful. The secret is the signing secret of the space or app. */
export const contentful = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(contentfulPreset, options, { encodedPath, signedHeaders })

/** Contentful escapes the query as one text. */
function encodedPath({ url }: SignedRequest): string {
  const [path, query] = [pathOf(url), queryOf(url)]
  return encodeURI(query === '' ? path : `${path}?${encodeURIComponent(query)}`)
}

/** The headers that are named as signed, with the list of their names and the timestamp, by name. */
function signedHeaders({ headers }: SignedRequest): string | undefined {
  const listed = one(headers, listHeader)
  if (typeof listed !== 'string') return undefined
  const names = [...new Set([...listed.split(','), listHeader, timestampHeader])].sort()
  if (names.length > 50) return undefined
  const lines = names.map((name) => {
    const value = name === listHeader ? names.join(',') : one(headers, name)
    return typeof value === 'string' ? `${name}:${value.trim()}` : undefined
  })
  return lines.includes(undefined) ? undefined : lines.join(';')
}

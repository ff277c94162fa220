import { createHash } from 'node:crypto'
import { knownOptions, textOf } from '../words/options.ts'
import { sameText } from '../verify/encodings.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { pathOf, queryOf } from '../verify/public-url.ts'
import { required, secretKeys } from '../verify/secrets.ts'
import type { SignedRequest, Source } from '../verify/source.ts'

export const atlassianConnectPreset: JwtPreset = {
  provider: 'atlassian-connect',
  title: 'Atlassian Connect',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/',
  scheme: {
    kind: 'jwt',
    header: 'authorization',
    prefix: 'JWT ',
    query: 'jwt',
    algorithm: 'HS256',
    required: ['iss', 'exp', 'qsh'],
    leewayMs: 0,
  },
  keySigned: false,
  type: { body: 'webhookEvent' },
  answerWithinMs: 20_000,
  retries: 'up to 5 times within 15 minutes',
  pitfalls: [
    'The token covers method, path and query, and nothing of the body.',
    'Paths are hashed below the base URL of the app: set basePath if that has a path.',
  ],
}

export interface AtlassianConnectOptions extends SecretOptions {
  /** Of the installation: the issuer of its tokens. */
  readonly clientKey: string
  /** The path of the app's base URL, such as `/jira-app`. Default: none. */
  readonly basePath?: string
}

/** Webhooks and lifecycle callbacks of an Atlassian Connect app, for one installation and its shared secret. */
export function atlassianConnect<Events = Record<string, unknown>>(
  options: AtlassianConnectOptions,
): Source<Events> {
  knownOptions('atlassian-connect', options, ['secret', 'clientKey', 'basePath'])
  const keys = secretKeys(atlassianConnectPreset, {}, options.secret).map((key) => ({ key }))
  const clientKey = required('atlassian-connect', 'clientKey', options.clientKey)
  const { basePath = '' } = options
  textOf('atlassian-connect.basePath', basePath, /^(\/[^?#]*)?$/, `a path, such as '/app'`)
  return jwtSource(
    atlassianConnectPreset,
    keys,
    ({ iss, qsh }, request) =>
      iss !== clientKey
        ? 'The token is of another installation than the configured one.'
        : typeof qsh === 'string' && sameText(qsh, queryHash(request, basePath))
          ? undefined
          : 'The token is for another method, path or query.',
    ({ method = 'POST', url = '/' }) => ({ iss: clientKey, qsh: queryHash({ method, url }, basePath) }),
  )
}

/**
 * SHA-256 of the canonical request, hex.
 * @see Atlassian Connect, "Creating a query string hash"
 */
function queryHash({ method, url }: Pick<SignedRequest, 'method' | 'url'>, basePath: string): string {
  const full = pathOf(url)
  const below = basePath !== '' && full.startsWith(basePath) ? full.slice(basePath.length) : full
  const path = below.length > 1 && below.endsWith('/') ? below.slice(0, -1) : below
  const line = `${method.toUpperCase()}&${(path === '' ? '/' : path).replace(/&/g, '%26')}&${canonicalQuery(queryOf(url))}`
  return createHash('sha256').update(line).digest('hex')
}

function canonicalQuery(query: string): string {
  const values = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'jwt') continue
    const key = encoded(name)
    const all = values.get(key)
    if (all) all.push(encoded(value))
    else values.set(key, [encoded(value)])
  }
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => `${name}=${all.sort().join(',')}`)
    .join('&')
}

/** Percent-encoding of RFC 3986, which leaves fewer characters alone than `encodeURIComponent`. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

import type { SecretOptions } from '../verify/hash.ts'
import { keyIdOf, verifiedClaims, type TokenTerms } from '../verify/jwt.ts'
import { publishedKeys, type KeySetOptions } from '../verify/key-sets.ts'
import { at, json } from '../verify/payload.ts'
import { refusal, type Refusal, type SignedRequest, type Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'
import { SetupError } from '../words/errors.ts'
import { optionsOf } from '../words/options.ts'
import { required } from '../verify/secrets.ts'

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
    'Notifications with resource data bring tokens of Microsoft: set audience, and fetch: true or jwks, to check them.',
  ],
}

export interface MicrosoftGraphOptions extends SecretOptions, KeySetOptions {
  /**
   * The app's client id. With it, a request with resource data must hold validation tokens, and those that a request
   * holds must be Microsoft's and for this app. Needs `jwks` or `fetch`.
   */
  readonly audience?: string
}

const published = 'https://login.microsoftonline.com/common/discovery/v2.0/keys'

/** The app that Microsoft Graph sends change notifications as. */
const publisher = '0bf30f3b-4a52-48df-9a82-234910c4a086'
const issuer =
  /^https:\/\/(?:sts\.windows\.net\/[\da-f-]{36}\/|login\.microsoftonline\.com\/[\da-f-]{36}\/v2\.0)$/
const terms: TokenTerms = {
  algorithm: 'RS256',
  required: ['aud', 'exp', 'iss'],
  leewayMs: 300_000,
}

/** A batch has no more validation tokens than this; they are one for each app and tenant. */
const mostTokens = 100

/** Change notifications of Microsoft Graph. The secret is the `clientState` that was given when subscribing. */
export function microsoftGraph<Events = Record<string, unknown>>(
  given: MicrosoftGraphOptions,
): Source<Events> {
  const { audience, jwks, fetch, ...options } = optionsOf('microsoft-graph', given)
  const source = tokenSource<Events>(microsoftGraphPreset, options)
  if (audience === undefined) {
    if (jwks === undefined && fetch === undefined) return source
    throw new SetupError(
      'ERR_OPTION_INVALID',
      'Option "microsoft-graph.audience" is missing: jwks and fetch mean nothing without the client id of the app.',
    )
  }
  required('microsoft-graph', 'audience', audience)
  const ofKeys = { ...(jwks && { jwks }), ...(fetch === undefined ? {} : { fetch }) }
  const keys = publishedKeys(microsoftGraphPreset, ofKeys, published)
  return {
    ...source,
    wants: (request, nowMs) => {
      for (const token of tokensOf(request)) {
        const wanted = keys.wanted(keyIdOf(String(token)), nowMs)
        if (wanted) return wanted
      }
      return undefined
    },
    check: (request, nowMs) => {
      const checked = source.check(request, nowMs)
      if (!checked.ok) return checked
      const tokens = tokensOf(request)
      if (tokens.length === 0) return missing(request) ?? checked
      if (tokens.length > mostTokens)
        return refusal('ERR_SIGNATURE_MALFORMED', `The body has more than ${mostTokens} validation tokens.`)
      for (const token of tokens) {
        const claims = verifiedClaims(String(token), terms, keys.known(nowMs), nowMs)
        if ('ok' in claims) return claims
        const { aud, iss, azp, appid } = claims.of
        if (aud !== audience || (azp ?? appid) !== publisher || !issuer.test(String(iss)))
          return refusal(
            'ERR_SIGNATURE_MISMATCH',
            'A validation token is not of Microsoft Graph for this app.',
          )
      }
      return checked
    },
  }
}

function tokensOf({ rawBody }: SignedRequest): readonly unknown[] {
  const tokens = at(json(rawBody), 'validationTokens')
  return Array.isArray(tokens) ? tokens : []
}

/** Resource data comes with tokens, always. */
function missing({ rawBody }: SignedRequest): Refusal | undefined {
  const items = at(json(rawBody), 'value')
  return Array.isArray(items) && items.some((item) => at(item, 'encryptedContent') !== undefined)
    ? refusal('ERR_SIGNATURE_MISSING', 'The body has resource data and no validation tokens.')
    : undefined
}

import { createHash, timingSafeEqual } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { one } from './claims.ts'
import type { SecretOptions } from './hash.ts'
import { at, json } from './payload.ts'
import type { Preset, TokenScheme } from './preset.ts'
import { queryOf } from './public-url.ts'
import { credentials } from './secrets.ts'
import {
  refusal,
  type Message,
  type Refusal,
  type Sealed,
  type SignedRequest,
  type Source,
} from './source.ts'

/** A sender that sends the secret itself. */
export type TokenPreset = Preset & { readonly scheme: TokenScheme }

/**
 * A source whose sender sends the secret along.
 * @throws SetupError for a missing secret or an unknown option
 */
export function tokenSource<Events>(preset: TokenPreset, options: SecretOptions): Source<Events> {
  knownOptions(preset.provider, options, ['secret'])
  const { scheme } = preset
  const { prefix = '', encoding } = scheme
  const texts = credentials(preset, options.secret).map(
    (secret) => prefix + (encoding === undefined ? secret : Buffer.from(secret).toString(encoding)),
  )
  const expected = texts.map(digest)
  const { token } = scheme
  return {
    preset,
    check: (request) => {
      const found = tokens(token, request)
      if (!Array.isArray(found)) return found
      const given = found.map(digest)
      return given.every((hash) => expected.some((one) => timingSafeEqual(one, hash)))
        ? { ok: true }
        : refusal('ERR_SIGNATURE_MISMATCH', 'No configured secret matches the token.')
    },
    seal: (message) => sealed(token, texts[0] ?? '', message),
  }
}

/** In a body, the token is put into the JSON that the message holds. */
function sealed(place: TokenScheme['token'], text: string, message: Message): Sealed {
  const { headers = {}, rawBody, url = '/' } = message
  if ('header' in place) return { headers: { ...headers, [place.header]: text } }
  if ('query' in place) {
    const token = `${place.query}=${encodeURIComponent(text)}`
    return { headers: { ...headers }, url: `${url}${url.includes('?') ? '&' : '?'}${token}` }
  }
  const [list = '', item] = place.body.split('.*.')
  const payload = json(rawBody)
  const found = item === undefined ? [payload] : at(payload, list)
  for (const each of Array.isArray(found) ? found : []) {
    if (typeof each === 'object' && each !== null) Object.assign(each, { [item ?? list]: text })
  }
  return { headers: { ...headers }, rawBody: Buffer.from(JSON.stringify(payload) ?? '') }
}

// equal lengths, so that the comparison tells nothing of the secret's
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function tokens(place: TokenScheme['token'], request: SignedRequest): string[] | Refusal {
  if ('header' in place) {
    const value = one(request.headers, place.header)
    if (typeof value === 'object') return value
    return value === undefined || value === ''
      ? refusal('ERR_SIGNATURE_MISSING', `The header "${place.header}" is missing.`)
      : [value]
  }
  const found =
    'query' in place
      ? new URLSearchParams(queryOf(request.url)).getAll(place.query)
      : everyOf(json(request.rawBody), place.body)
  if (found.length === 0) return refusal('ERR_SIGNATURE_MISSING', 'The token is missing.')
  if ('query' in place && found.length > 1) {
    return refusal('ERR_SIGNATURE_MALFORMED', `The parameter "${place.query}" came more than once.`)
  }
  const texts = found.filter((value) => typeof value === 'string')
  return texts.length === found.length ? texts : refusal('ERR_SIGNATURE_MALFORMED', 'A token is not text.')
}

/** What a path with one `*` leads to, an entry for every item of the list. */
function everyOf(payload: unknown, path: string): unknown[] {
  const [list, item] = path.split('.*.')
  if (list === undefined || item === undefined) {
    const value = at(payload, path)
    return value === undefined ? [] : [value]
  }
  const items = at(payload, list)
  return Array.isArray(items) ? items.map((each) => at(each, item)) : []
}

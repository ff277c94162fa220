import { callable } from '../words/options.ts'
import type { Reply } from '../words/request.ts'
import { at } from './payload.ts'
import type { Echo, Handshake, Place } from './preset.ts'
import { queryOf } from './public-url.ts'
import type { Knowledge, SignedRequest, Source } from './source.ts'

/** What a secret may be asked to hash for somebody unverified: a token, never anything that could be a body. */
const token = /^[\w.~+/=-]{1,256}$/

/** A header that is sent back must not become two. */
const headerText = /^[\x21-\x7e]{1,512}$/

/**
 * The answer to an endpoint validation, or undefined when the request is none. To be asked twice: before verification
 * with `verified: false`, for senders that do not sign it, and after it with `verified: true`. Nothing of a validation
 * reaches a bot. What is sent back goes out as `text/plain` or JSON with `nosniff`. Never throws.
 * @param payload  gives the parsed body
 */
export function handshake(
  source: Source,
  request: SignedRequest,
  payload: () => unknown,
  { verified }: { readonly verified: boolean },
): Reply | undefined {
  const { handshakes = [] } = source.preset
  for (const one of handshakes) {
    if (one.verified !== verified) continue
    try {
      const reply = answer(one, source.knows ?? {}, reader(request, payload), request.method)
      if (reply) return reply
    } catch {
      return undefined
    }
  }
  return undefined
}

type Read = (place: Place) => string | undefined

function answer(one: Handshake, knows: Knowledge, read: Read, method: string): Reply | undefined {
  if ((one.method ?? 'POST') !== method) return undefined
  for (const { at: place, is, absent = false } of one.when) {
    const found = read(place)
    if (absent ? found !== undefined : found === undefined || (is !== undefined && found !== is))
      return undefined
  }
  if (one.known && !(knows.holds?.(one.known.option, read(one.known.at) ?? '') ?? false)) return plain(403)
  if (one.tells) {
    const secret = read(one.tells)
    if (secret !== undefined) knows.onSecret?.(secret)
  }
  const { status, text, json, headers = {} } = one.reply
  const echo = (what: Echo): string => echoed(what, knows, read, one.verified)
  const more = Object.entries(headers).map(([name, what]) => {
    const value = echo(what)
    if (!headerText.test(value)) throw new TypeError('not a header')
    return [name, value] as const
  })
  const reply = json
    ? plain(
        status,
        JSON.stringify(
          Object.fromEntries(
            Object.entries(json).map(([name, what]) => [name, typeof what === 'number' ? what : echo(what)]),
          ),
        ),
        'application/json',
      )
    : plain(status, text && echo(text))
  return { ...reply, headers: { ...reply.headers, ...Object.fromEntries(more) } }
}

const plain = (status: number, body?: string, type = 'text/plain; charset=utf-8'): Reply => ({
  status,
  headers: {
    ...(body === undefined ? {} : { 'content-type': type }),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  },
  ...(body === undefined ? {} : { body }),
})

function echoed(what: Echo, knows: Knowledge, read: Read, verified: boolean): string {
  if (!('hmac' in what)) {
    const text = read(what)
    if (text === undefined || text.length > 4_096) throw new TypeError('nothing to send back')
    return text
  }
  const text = read(what.hmac)
  if (text === undefined || !knows.mac || !(verified || (what.only ?? token).test(text)))
    throw new TypeError('nothing to hash')
  return (what.prefix ?? '') + knows.mac(text).toString(what.encoding)
}

function reader(request: SignedRequest, payload: () => unknown): Read {
  let parsed: { body: unknown } | undefined
  let query: URLSearchParams | undefined
  return (place) => {
    if ('text' in place) return place.text
    if ('header' in place) return request.headers.get(place.header)
    if ('query' in place)
      return (query ??= new URLSearchParams(queryOf(request.url))).get(place.query) ?? undefined
    if ('signed' in place) return undefined
    parsed ??= { body: payload() }
    const found = at(parsed.body, place.body)
    return typeof found === 'string'
      ? found
      : found === undefined || found === null
        ? undefined
        : JSON.stringify(found)
  }
}

/**
 * The source, which gives the secret that its sender sends first to `onSecret`, if there is one.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no function
 */
export function tellingSecret<Events>(
  source: Source<Events>,
  onSecret: ((secret: string) => void) | undefined,
): Source<Events> {
  if (onSecret === undefined) return source
  callable(`${source.preset.provider}.onSecret`, onSecret)
  return { ...source, knows: { ...source.knows, onSecret } }
}

import { at } from './payload.ts'
import { schemeOf, type Place } from './preset.ts'
import { queryOf } from './public-url.ts'
import type { SignedRequest, Source } from './source.ts'

/** What a verified request says about its event. */
export interface Description {
  /** The sender's own id of the event, if it gives one. */
  readonly key?: string
  /** Whether the signature covers the key, so that it tells a repeat by itself. Not when a number in it may have been rounded. */
  readonly keySigned: boolean
  /** The type as the sender spells it; `unknown` when it gives none. */
  readonly rawType: string
  /** Those that the preset keeps, lower case. */
  readonly headers: Record<string, string>
}

const longest = 1_000

type Read = (place: Place) => string | undefined

/**
 * Reads id, type and the headers worth keeping. Only for a request that was verified. Never throws.
 * @param payload  gives the parsed body; called once, and only for senders that write id or type into it
 */
export function describe(source: Source, request: SignedRequest, payload: () => unknown): Description {
  const { key, keySigned, type, headers: kept = [] } = source.preset
  const headers: Record<string, string> = {}
  for (const name of kept) {
    const value = request.headers.get(name)
    if (value !== undefined) headers[name] = value
  }
  let isExact = true
  const read = reader(source, request, payload, () => (isExact = false))
  const rawType = typeOf(places(type), read)
  const id = keyOf(places(key), read)
  const description = { keySigned: keySigned && isExact, rawType, headers }
  return id === undefined ? description : { key: id, ...description }
}

/** What refines the type means nothing without it. */
function typeOf(places: readonly Place[], read: Read): string {
  let type = ''
  for (const place of places) {
    const part = read(place)
    if (part) type += type === '' ? part : `.${part}`
    else if (type === '') break
  }
  return type === '' ? 'unknown' : type.slice(0, longest)
}

/** A key of which a part is missing would make events equal that are not. */
function keyOf(places: readonly Place[], read: Read): string | undefined {
  let key: string | undefined
  for (const place of places) {
    const part = read(place)
    if (!part) return undefined
    key = key === undefined ? part : `${key}:${part}`
  }
  return key
}

/** @param onRounded  is called for a number that is too large to be told from its neighbours once it was parsed */
function reader(source: Source, request: SignedRequest, payload: () => unknown, onRounded: () => void): Read {
  let parsed: { readonly body: unknown } | undefined
  return (place) => {
    if ('body' in place) {
      parsed ??= { body: payloadOf(source, request, payload) }
      const value = at(parsed.body, place.body)
      if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) onRounded()
      return text(value)
    }
    if ('header' in place) return request.headers.get(place.header)
    if ('text' in place) return place.text
    if ('query' in place) return new URLSearchParams(queryOf(request.url)).get(place.query) ?? undefined
    const scheme = schemeOf(source.preset.scheme, (name) => request.headers.get(name) !== undefined)
    return 'id' in scheme && scheme.id !== undefined ? request.headers.get(scheme.id) : undefined
  }
}

const noPlaces: readonly Place[] = []

const places = (value: Place | readonly Place[] = noPlaces): readonly Place[] =>
  'length' in value ? value : [value]

function payloadOf(source: Source, request: SignedRequest, payload: () => unknown): unknown {
  try {
    return source.payload?.(request) ?? payload()
  } catch {
    return undefined
  }
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined

const longestType = 200

/**
 * The dotted form of a sender's type: `/` and `:` become dots, what a pattern could not hold (white space, `*`, control
 * characters) becomes `-`, empty segments go, and it ends at 200 bytes. `orders/create` is `orders.create`.
 * @returns `unknown` when nothing is left
 */
export function eventType(rawType: string): string {
  if (/^[a-z\d_-]{1,60}(?:\.[a-z\d_-]{1,60}){0,2}$/i.test(rawType)) return rawType
  const segments = rawType
    .slice(0, longest)
    .split(/[/:.]/)
    .map((segment) => segment.trim().replace(/[\s*\u0000-\u001f\u007f-\u009f]/g, '-'))
    .filter((segment) => segment !== '')
  let type = ''
  for (const segment of segments) {
    // bytes first: a lone surrogate has no UTF-8 form, and a cut must not leave half a character
    const longer = Buffer.from(type === '' ? segment : `${type}.${segment}`).toString()
    if (Buffer.byteLength(longer) > longestType) return type === '' ? cut(segment) : type
    type = longer
  }
  return type === '' ? 'unknown' : type
}

function cut(segment: string): string {
  let short = ''
  for (const character of segment) {
    if (Buffer.byteLength(short) + Buffer.byteLength(character) > longestType) break
    short += character
  }
  return Buffer.from(short).toString()
}

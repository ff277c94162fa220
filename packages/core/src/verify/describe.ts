import { at } from './payload.ts'
import { schemeOf, type Place } from './preset.ts'
import { queryOf } from './public-url.ts'
import type { SignedRequest, Source } from './source.ts'

/** What a verified request says about its event. */
export interface Description {
  /** The sender's own id of the event, if it gives one. */
  readonly key?: string
  /** Whether the signature covers the key. */
  readonly keySigned: boolean
  /** The type as the sender spells it; `unknown` when it gives none. */
  readonly rawType: string
  /** Those that the preset keeps, lower case. */
  readonly headers: Record<string, string>
}

const longest = 1_000

/**
 * Reads id, type and the headers worth keeping. Only for a request that was verified. Never throws.
 * @param payload  gives the parsed body; called only for senders that write id or type into it
 */
export function describe(source: Source, request: SignedRequest, payload: () => unknown): Description {
  const { key, keySigned, type, headers = [] } = source.preset
  const header = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : request.headers.get(name)
  const read = (place: Place): string | undefined => {
    if ('header' in place) return header(place.header)
    if ('body' in place)
      return text(
        at(
          safely(() => source.payload?.(request) ?? payload()),
          place.body,
        ),
      )
    if ('text' in place) return place.text
    if ('query' in place) return new URLSearchParams(queryOf(request.url)).get(place.query) ?? undefined
    const scheme = schemeOf(source.preset.scheme, (name) => header(name) !== undefined)
    return 'id' in scheme ? header(scheme.id) : undefined
  }
  const keys = places(key).map((place) => read(place))
  const types = places(type).map((place) => read(place))
  const kept = headers.flatMap((name) => {
    const value = header(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    keySigned,
    // what refines the type means nothing without it
    rawType: types[0] ? types.filter(Boolean).join('.').slice(0, longest) : 'unknown',
    headers: Object.fromEntries(kept),
    // a key of which a part is missing would make events equal that are not
    ...(keys.length > 0 && keys.every(Boolean) ? { key: keys.join(':') } : {}),
  }
}

const places = (value: Place | readonly Place[] | undefined): readonly Place[] =>
  value === undefined ? [] : 'length' in value ? value : [value]

function safely(payload: () => unknown): unknown {
  try {
    return payload()
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

import type { Claims } from './claims.ts'
import { publicUrl } from './public-url.ts'
import type { SignedRequest } from './source.ts'

/** Gives one part of the signed bytes; undefined when the request does not have it. */
export type Part = (
  request: SignedRequest,
  claims: Pick<Claims, 'timestamp' | 'id'>,
) => string | Buffer | undefined

/** Parts by name. */
export type Parts = Readonly<Record<string, Part>>

const known: Parts = {
  body: (request) => request.rawBody,
  timestamp: (_, claims) => claims.timestamp,
  id: (_, claims) => claims.id,
  method: (request) => request.method,
  url: (request) => publicUrl(request),
}

const header =
  (name: string): Part =>
  ({ headers }) => {
    const values = headers.all(name)
    return values.length === 1 ? values[0] : undefined
  }

/**
 * The parts of a template such as `{timestamp}.{body}`.
 * @param own  parts beside the known ones, or instead of them
 * @throws TypeError for a name that is no part
 */
export function template(text: string, own: Parts = {}): Part[] {
  return text.split(/[{}]/).flatMap((piece, index): Part[] => {
    if (index % 2 === 0) return piece === '' ? [] : [() => piece] // what stands between braces has an odd index
    const part = own[piece] ?? (piece.startsWith('header:') ? header(piece.slice(7)) : known[piece])
    if (!part) throw new TypeError(`"${text}" is not a template: there is no part {${piece}}.`)
    return [part]
  })
}

/** Pieces of the signed bytes, as few as possible; the body is not copied. */
export type Pieces = readonly (string | Buffer)[]

/** Undefined when a part is not there. */
export function piecesOf(
  parts: readonly Part[],
  request: SignedRequest,
  claims: Pick<Claims, 'timestamp' | 'id'>,
): Pieces | undefined {
  const pieces: (string | Buffer)[] = []
  let text = ''
  for (const part of parts) {
    const value = part(request, claims)
    if (value === undefined) return undefined
    if (typeof value === 'string') {
      text += value
      continue
    }
    if (text !== '') pieces.push(text)
    text = ''
    pieces.push(value)
  }
  if (text !== '') pieces.push(text)
  return pieces
}

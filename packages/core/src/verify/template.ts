import type { Claims } from './claims.ts'
import type { SignedRequest } from './source.ts'

/** Gives one part of the signed bytes; undefined when the request does not have it. */
export type Part = (
  request: SignedRequest,
  claims: Pick<Claims, 'timestamp' | 'id'>,
) => string | Buffer | undefined

const known: Record<string, Part> = {
  body: (request) => request.rawBody,
  timestamp: (_, claims) => claims.timestamp,
  id: (_, claims) => claims.id,
  method: (request) => request.method,
  url: (request) => request.url,
}

const header =
  (name: string): Part =>
  ({ headers }) => {
    const values = headers.all(name)
    return values.length === 1 ? values[0] : undefined
  }

/** The parts of a template such as `{timestamp}.{body}`; `own` adds to the known ones or replaces them. */
export function template(text: string, own: Readonly<Record<string, Part>> = {}): Part[] {
  return text.split(/[{}]/).map((piece, index): Part => {
    if (index % 2 === 0) return () => piece // what stands between the braces has an odd place
    const part = own[piece] ?? (piece.startsWith('header:') ? header(piece.slice(7)) : known[piece])
    if (!part) throw new TypeError(`"${text}" is not a template: there is no part {${piece}}.`)
    return part
  })
}

/** The signed bytes in as few pieces as possible; the body is not copied. Undefined when a part is not there. */
export function signedBytes(
  parts: readonly Part[],
  request: SignedRequest,
  claims: Pick<Claims, 'timestamp' | 'id'>,
): (string | Buffer)[] | undefined {
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

import type { RequestHeaders } from '../words/headers.ts'
import { mostSignatures } from './claims.ts'
import { pathOf, publicUrl, queryOf } from './public-url.ts'
import { refusal, type Refusal, type SignedRequest } from './source.ts'
import { parseDictionary, type Item, type Parameters } from './structured-fields.ts'

/** A component that a signature covers, such as `"@method"`. */
export interface Component {
  readonly name: string
  readonly params: Parameters
  /** As it was written. */
  readonly text: string
}

/** One signature of a request. */
export interface MessageSignature {
  readonly components: readonly Component[]
  readonly params: Parameters
  /** The member of `Signature-Input` as it was written: the value of `@signature-params`. */
  readonly text: string
  readonly bytes: Buffer
}

/**
 * The signatures of a request, or why there are none.
 * @see RFC 9421 §4
 */
export function signaturesOf(headers: RequestHeaders): MessageSignature[] | Refusal {
  const [input, written] = [headers.all('signature-input'), headers.all('signature')]
  if (input.length === 0 || written.length === 0) {
    return refusal(
      'ERR_SIGNATURE_MISSING',
      'The headers "signature" and "signature-input" are not both there.',
    )
  }
  const malformed = refusal(
    'ERR_SIGNATURE_MALFORMED',
    'The headers "signature" and "signature-input" do not match.',
  )
  if (input.length > 1 || written.length > 1) return malformed
  const inputs = parseDictionary(input[0] ?? '')
  const signatures = parseDictionary(written[0] ?? '')
  if (!inputs || !signatures || signatures.size > mostSignatures) return malformed
  if (inputs.size !== signatures.size) return malformed // each input is of a signature, and the other way round
  const found: MessageSignature[] = []
  for (const [label, { value }] of signatures) {
    const of = inputs.get(label)
    if (!of || !Array.isArray(of.value) || !Buffer.isBuffer(value)) return malformed
    const components = (of.value as readonly Item[]).map(componentOf)
    const names = components.map(({ text }) => text)
    if (!components.every((one) => one.name !== '') || new Set(names).size !== names.length) return malformed
    found.push({ components, params: of.params, text: of.text, bytes: value })
  }
  return found
}

const componentOf = ({ value, params, text }: Item): Component => ({
  name: typeof value === 'string' ? value : '',
  params,
  text,
})

/**
 * The bytes that were signed, as text; undefined when a component is not there or of a kind that is not supported.
 * @see RFC 9421 §2.5
 */
export function signatureBase(
  { components, text }: MessageSignature,
  request: SignedRequest,
): string | undefined {
  let base = ''
  for (const component of components) {
    const value = valueOf(component, request)
    if (value === undefined || /[\r\n]/.test(value)) return undefined
    base += `${component.text}: ${value}\n`
  }
  return `${base}"@signature-params": ${text}`
}

function valueOf({ name, params }: Component, request: SignedRequest): string | undefined {
  if (name.startsWith('@')) return derived(name, params, request)
  if (params.size > 0 || name !== name.toLowerCase()) return undefined // sf, bs, key, req, tr: no sender of webhooks has them
  const values = request.headers.all(name)
  return values.length === 0 ? undefined : values.map((value) => value.trim()).join(', ')
}

function derived(name: string, params: Parameters, request: SignedRequest): string | undefined {
  const url = publicUrl(request)
  const query = queryOf(url)
  if (name === '@query-param') {
    const wanted = params.get('name')
    if (params.size !== 1 || typeof wanted !== 'string') return undefined
    const values = [...new URLSearchParams(query)].filter(([name]) => escaped(name) === wanted)
    return values.length === 1 ? escaped(values[0]?.[1] ?? '') : undefined
  }
  if (params.size > 0) return undefined
  switch (name) {
    case '@method':
      return request.method
    case '@target-uri':
      return url
    case '@authority':
      return URL.canParse(url) ? new URL(url).host : undefined
    case '@scheme':
      return /^https?(?=:)/i.exec(url)?.[0].toLowerCase()
    case '@request-target':
      return pathOf(url) + (url.includes('?') ? `?${query}` : '')
    case '@path':
      return pathOf(url) || '/'
    case '@query':
      return `?${query}`
    default:
      return undefined
  }
}

/** @see RFC 9421 §2.2.8, which refers to the form encoder of the URL standard, with `%20` for a space */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

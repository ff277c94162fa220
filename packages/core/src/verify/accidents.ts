import { gunzipSync } from 'node:zlib'
import { publicUrl } from './public-url.ts'
import type { SignedRequest } from './source.ts'

/** The body as it was before somebody compressed it. */
export function inflated(body: Buffer): Buffer | undefined {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return undefined
  try {
    return gunzipSync(body, { maxOutputLength: 1_048_576 })
  } catch {
    return undefined
  }
}

const deepest = 64

/** Whether JSON can be written anew at a bounded cost: indents of what is nested deeply take its square, and then the stack. */
export function isWritable(text: string): boolean {
  let depth = 0
  for (const char of text) {
    if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (depth > deepest) return false
  }
  return true
}

/** JSON as the usual serialisers write it. */
export const writings = (value: unknown): string[] => [
  JSON.stringify(value),
  JSON.stringify(value, null, 2),
  JSON.stringify(value, null, 4),
  spaced(JSON.stringify(value, null, 1)),
]

/** As Python does by default: a space after each colon and comma. */
const spaced = (indented: string): string => indented.replace(/,\n */g, ', ').replace(/\n */g, '')

/** The text with characters escaped, or escapes written out, as serialisers do by habit or by option. */
export const escapings = (text: string): string[] => {
  const escaped = text.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return [
    escaped,
    text.replace(/(?<!\\)\//g, '\\/'),
    escaped.replace(/(?<!\\)\//g, '\\/'),
    text.replace(/\\\//g, '/'),
    text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  ]
}

/** The URLs that a sender may have called, if proxies or routers changed it on the way. */
export function* urls(request: SignedRequest): Generator<string> {
  const url = publicUrl(request)
  const forwarded = request.headers.get('x-forwarded-host')?.split(',')[0]?.trim()
  const withScheme = (scheme: string): string => url.replace(/^https?:/i, scheme)
  yield withScheme('https:')
  yield withScheme('http:')
  if (forwarded !== undefined) yield withScheme('https:').replace(/^(https?:\/\/)[^/?#]*/i, `$1${forwarded}`)
  yield url.replace(/\/(?=$|\?)/, '')
  yield url.replace(/([^/?])(?=$|\?)/, '$1/')
  yield url.replace(/\?.*$/s, '')
  yield url.replace(/^(https?:\/\/[^/?#:]*):\d{1,5}/i, '$1')
}

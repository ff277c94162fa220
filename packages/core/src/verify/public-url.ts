import { RequestHeaders } from '../words/headers.ts'
import type { Message, SignedRequest } from './source.ts'
import { textOf } from '../words/options.ts'

export interface PublicUrlOption {
  /**
   * The URL as the provider calls it, for an app behind a proxy that changes host, scheme or path. An origin alone
   * (`https://hooks.example.com`) takes path and query of the request; with a path, the query alone is taken from it.
   * Default: the request's own URL, which an app that trusts its proxy gets right, and `https://` with `Host` otherwise.
   */
  readonly publicUrl?: string
}

/**
 * The URL that was configured.
 * @throws SetupError `ERR_OPTION_INVALID` for one without scheme and host, which would never be the signed one
 */
export const publicUrlOf = (provider: string, { publicUrl: url }: PublicUrlOption): string | undefined =>
  url === undefined
    ? undefined
    : textOf(`${provider}.publicUrl`, url, /^https?:\/\/[^/?#]/i, `a URL such as 'https://hooks.example.com'`)

/** The URL as it was signed. Text is cut and joined, never parsed and written anew: an escape may be spelt in two ways. */
export function publicUrl(
  { url, headers }: Pick<SignedRequest, 'url' | 'headers'>,
  configured?: string,
): string {
  const origin = originOf(url)
  const target = url.slice(origin.length)
  if (configured === undefined) return origin === '' ? `https://${headers.get('host') ?? ''}${target}` : url
  const base = originOf(configured)
  const path = configured.slice(base.length)
  if (path === '' || path === '/') return base + target
  const query = target.indexOf('?')
  return path.includes('?') || query === -1 ? configured : configured + target.slice(query)
}

/** The request that a message is for, as far as its URL goes. */
export const calledBy = ({ url = '/', headers = {} }: Message): Pick<SignedRequest, 'url' | 'headers'> => ({
  url,
  headers: RequestHeaders.from(headers),
})

const originOf = (url: string): string => /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''

/** Path of a request target, without its origin and query. */
export const pathOf = (url: string): string => url.slice(originOf(url).length).split('?', 1)[0] ?? ''

/** The query of a request target, without its question mark; empty when it has none. */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start + 1).replace(/#.*/s, '')
}

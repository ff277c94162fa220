import { fetchText, type FetchTextOptions } from './fetch-text.ts'
import type { SignedRequest, Source } from './source.ts'

/** Gets a text over the network. */
export type Fetch = (url: string, options: FetchTextOptions) => Promise<string>

/** Nobody is asked for the same thing again so soon after it failed, milliseconds. */
const pauseMs = 60_000

/** A source asks for no more than this within the pause, whatever requests name. */
const mostAtOnce = 5

/** Whom a source has asked lately, by URL, and when. */
const asked = new WeakMap<Source, Map<string, { readonly at: number; readonly answer: Promise<void> }>>()

/**
 * Fetches the key that a request names, for a source that was made with `fetch: true` and does not have it. Call it
 * before `verify`. Only the provider's own hosts are asked, over https, for small texts, and the answer is kept. Never
 * rejects: without the key, verification fails.
 */
export async function prepare(
  source: Source,
  request: SignedRequest,
  nowMs: number,
  fetch: Fetch = fetchText,
): Promise<void> {
  const wanted = source.wants?.(request, nowMs)
  if (!wanted) return
  const lately = asked.get(source) ?? new Map<string, { at: number; answer: Promise<void> }>()
  asked.set(source, lately)
  for (const [url, { at }] of lately) if (nowMs - at >= pauseMs) lately.delete(url)
  const before = lately.get(wanted.url)
  if (before) return before.answer
  if (lately.size >= mostAtOnce) return
  const answer = fetch(wanted.url, { hosts: [new URL(wanted.url).hostname] })
    .then(wanted.keep)
    .catch(() => undefined)
  lately.set(wanted.url, { at: nowMs, answer })
  return answer
}

/**
 * Visits the URL with which a verified message asks to confirm a subscription, for a source that was made with
 * `confirm: true`. Call it after `verify`.
 * @returns whether the message asked for it
 * @throws Error when the URL cannot be visited
 */
export async function confirm(
  source: Source,
  request: SignedRequest,
  fetch: Fetch = fetchText,
): Promise<boolean> {
  const url = source.confirms?.(request)
  if (url === undefined) return false
  await fetch(url, { hosts: [new URL(url).hostname] })
  return true
}

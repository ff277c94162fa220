import { setTimeout } from 'node:timers/promises'
import { sign, type Source } from '@trigger-hub/core/verify'
import type { Journal } from './journal.ts'

/** What a sender has to say, before it is signed. */
export interface Webhook {
  readonly source: string
  /** The sender's id of the event. */
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A webhook as it goes over the wire. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What the sender writes about each request: what it was, and what came back. */
export interface Sent {
  readonly key: string
  readonly source: string
  /** False for a forgery, which must be refused. */
  readonly genuine: boolean
  /** Null when no answer came. */
  readonly status: number | null
  /** The event that the answer names. */
  readonly event: string | null
  readonly duplicate: boolean
}

const firstWaitMs = 500
const longestWaitMs = 32_000
const answerWithinMs = 10_000

/** Sends as the real ones do: signed, with a deadline, and again until there is a 2xx. Keeps its own log. */
export class Sender {
  readonly #url: string
  readonly #sources: Readonly<Record<string, Source>>
  readonly #log: Journal<Sent>
  #heard: () => void = () => undefined

  /** @param url  where the sources are, such as `http://localhost:3000/webhooks` */
  constructor(url: string, sources: Readonly<Record<string, Source>>, log: Journal<Sent>) {
    this.#url = url
    this.#sources = sources
    this.#log = log
  }

  sign({ source, key, headers, body }: Webhook, nowMs = Date.now()): Signed {
    const configured = this.#sources[source]
    if (!configured) throw new TypeError(`There is no source "${source}".`)
    const all = { 'content-type': 'application/json', ...headers }
    return { headers: { ...all, ...sign(configured, { rawBody: body, headers: all, id: key, nowMs }) }, body }
  }

  /** Sends until there is an answer that stands, waiting 0.5 s, 1 s, 2 s, … in between; gives up after a minute. */
  async deliver(webhook: Webhook): Promise<Sent> {
    for (let waitMs = firstWaitMs; ; waitMs *= 2) {
      const sent = await this.#post(webhook, this.sign(webhook), true)
      const stands = sent.status !== null && sent.status < 500
      if (stands || waitMs > longestWaitMs) return sent
      await setTimeout(waitMs)
    }
  }

  /** Resolves with the answer that is the last of so many more 2xx: before another one is read. */
  acknowledges(count: number): Promise<void> {
    let left = count
    return new Promise((resolve) => (this.#heard = () => void (--left === 0 && resolve())))
  }

  /** Sends once what the sender has not signed like this. */
  forge(webhook: Webhook, request: Signed): Promise<Sent> {
    return this.#post(webhook, request, false)
  }

  async #post({ key, source }: Webhook, { headers, body }: Signed, genuine: boolean): Promise<Sent> {
    const signal = AbortSignal.timeout(answerWithinMs)
    const request = { method: 'POST', headers, body, signal }
    const reply = await fetch(`${this.#url}/${source}`, request).catch(() => null)
    await reply?.body?.cancel() // the status says it all
    const sent: Sent = {
      key,
      source,
      genuine,
      status: reply?.status ?? null,
      event: reply?.headers.get('trigger-hub-event') ?? null,
      duplicate: reply?.headers.get('trigger-hub-duplicate') === '?1',
    }
    this.#log.write(sent)
    if (reply?.ok) this.#heard()
    return sent
  }
}

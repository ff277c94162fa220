import type { Readable } from 'node:stream'
import type { WebhookEvent } from './event.ts'
import type { RequestHeaders } from './headers.ts'

/** What the stages learn about a request; users see it as `req.webhook`, `ctx.state.webhook`, `@WebhookEvent()`. */
export interface WebhookState {
  /** The exact bytes of the body, without its content-encoding. Set by the `rawBody` stage. */
  rawBody?: Buffer
  /** The body as received, if it came with a content-encoding. */
  wireBody?: Buffer
  /** Name of the source, or the provider of an à-la-carte `verifySignature`. */
  source?: string
  /** The event, once the signature holds. */
  event?: WebhookEvent
  /** True once a signature was checked and holds. */
  verified: boolean
  /** The parsed body, where the idempotency guard has read it. */
  payload?: unknown
  /** The idempotency key: what makes two requests the same event. */
  key?: string
  /** Hashed name of the key under which an idempotency guard is at work on this request. */
  guardedAs?: string
  /** Whether the signature covers the key. */
  keySigned?: boolean
  /** The 2xx status that the sender asks for, if it is a certain one. */
  ackStatus?: number
  /** The text that the sender asks for in the answer, if it is a certain one. */
  ackBody?: string
}

/** One HTTP request as the stages see it, whatever the framework. */
export interface WebhookRequest {
  readonly method: string
  /** Path and query as received, before any router cut a prefix off. */
  readonly url: string
  readonly headers: RequestHeaders
  /** Where the bytes of the body come from, if nobody has read them. */
  readonly stream: Readable
  /** What a body parser left before us; undefined if none ran. */
  readonly parsedBody: unknown
  readonly webhook: WebhookState
}

/** An HTTP reply. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Buffer | string
}

export interface NextOptions {
  /**
   * Hold the route's reply back until the stage returns, if its body is at most this many bytes. Without it, the reply
   * of the route goes out as it is written, and what `next()` resolves to is only a token for "the route answered".
   */
  holdBytes?: number
}

/** Runs the rest of the chain. May be called once. */
export type Next = (options?: NextOptions) => Promise<Reply>

/** A function around the rest of the request: before `next()` on the way in, after it on the way out. */
export type Stage = (request: WebhookRequest, next: Next) => Promise<Reply>

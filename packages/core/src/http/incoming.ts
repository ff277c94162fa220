import type { IncomingMessage } from 'node:http'
import { RequestHeaders } from '../words/headers.ts'
import type { WebhookRequest, WebhookState } from '../words/request.ts'

const stateKey = Symbol.for('trigger-hub.webhook')

/** What frameworks and body parsers leave on a request of `node:http`. */
export type Incoming = IncomingMessage & {
  originalUrl?: string
  body?: unknown
  /** Bytes, when a platform or a parser's `verify` hook kept them; text is not the bytes. */
  rawBody?: unknown
  [stateKey]?: WebhookState
}

/** The state that all stages of one request share, also across copies of this module. */
export function stateOf(req: Incoming): WebhookState {
  return (req[stateKey] ??= { verified: false, ...bytesOf(req) })
}

/** If somebody kept the exact bytes, the stream need not be read. */
function bytesOf({ rawBody, body }: Incoming): { rawBody?: Buffer } {
  if (Buffer.isBuffer(rawBody)) return { rawBody }
  return Buffer.isBuffer(body) ? { rawBody: body } : {}
}

/** A request of `node:http`, or of a framework over it, as the stages see it. */
export const requestOf = (req: Incoming): WebhookRequest => ({
  method: req.method ?? '',
  url: req.originalUrl ?? req.url ?? '',
  headers: new RequestHeaders(req.rawHeaders),
  stream: req,
  parsedBody: req.readableDidRead ? req.body : undefined, // some parsers leave {} where they did not read
  webhook: stateOf(req),
})

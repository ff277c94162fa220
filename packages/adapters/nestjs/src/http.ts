import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { ArgumentsHost, StreamableFile } from '@nestjs/common'
import {
  requestOf,
  stateOf,
  writeReply,
  type Incoming,
  type Reply,
  type WebhookRequest,
} from '@trigger-hub/core'

/** A request and reply of the platform: Express's are those of `node:http`, Fastify's wrap them. */
type PlatformRequest = Incoming & { readonly raw?: IncomingMessage }
type PlatformReply = ServerResponse & {
  readonly statusCode: number
  readonly raw?: ServerResponse
  getHeaders(): OutgoingHttpHeaders
  hijack?(): void
}

const partsOf = (host: ArgumentsHost) => {
  const http = host.switchToHttp()
  const [request, reply] = [http.getRequest<PlatformRequest>(), http.getResponse<PlatformReply>()]
  return { request, reply, req: (request.raw ?? request) as Incoming, res: reply.raw ?? reply }
}

/** A request as the stages see it, on either platform. */
export function httpOf(host: ArgumentsHost): WebhookRequest & { readonly res: ServerResponse } {
  const { request, req, res } = partsOf(host)
  // a parser that does not know the content type may leave {} and the bytes where they were
  return { ...requestOf(req), parsedBody: req.readableDidRead ? request.body : undefined, res }
}

/** The route finds the payload in its `@Body()`, unless a parser has set it. */
export function offerBody(host: ArgumentsHost): void {
  const { request, req } = partsOf(host)
  const { event, payload } = stateOf(req)
  request.body ??= event?.data ?? payload
}

/** Whether the caller has gone, also while that is held back. */
export const hasLeft = (host: ArgumentsHost): boolean => partsOf(host).req.socket.destroyed

/** Status and headers that a route has set so far, and those of the file that it answers. */
export function headOf(host: ArgumentsHost, file: StreamableFile): Pick<Reply, 'status' | 'headers'> {
  const { reply } = partsOf(host)
  const { type, disposition, length } = file.getHeaders()
  const given = { 'content-type': type, 'content-disposition': disposition, 'content-length': length }
  const headers = Object.entries({ ...given, ...reply.getHeaders() }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)] as const],
  )
  return { status: reply.statusCode, headers: Object.fromEntries(headers) }
}

/** Answers in place of the route, with the headers that the app has set so far. */
export function write(host: ArgumentsHost, answer: Reply): void {
  const { reply, res } = partsOf(host)
  if (res !== reply) {
    reply.hijack?.()
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined && !res.headersSent) res.setHeader(name, value)
    }
  }
  writeReply(res, answer)
}

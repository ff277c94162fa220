import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Reply } from '../words/request.ts'

/** Writes a reply to a response of `node:http` that nobody has answered yet. */
export function writeReply(res: ServerResponse, { status, headers, body = '' }: Reply): void {
  if (res.headersSent || res.destroyed) return // the sender is gone, or the app answered on its own
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }
  res.writeHead(status, { ...headers, ...length } as OutgoingHttpHeaders)
  res.end(body)
}

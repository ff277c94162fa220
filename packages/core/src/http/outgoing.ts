import type { ServerResponse } from 'node:http'
import type { Reply } from '../words/request.ts'

/** Writes a reply to a response of `node:http` that nobody has answered yet. */
export function writeReply(res: ServerResponse, { status, headers, body = '' }: Reply): void {
  if (res.headersSent || res.destroyed) return // the sender is gone, or the app answered on its own
  res.statusCode = status
  for (const name in headers) res.setHeader(name, headers[name] ?? '')
  res.end(body) // tells its length by itself
}

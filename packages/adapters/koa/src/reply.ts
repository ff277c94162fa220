import { once } from 'node:events'
import { Readable } from 'node:stream'
import { drained, type Reply } from '@trigger-hub/core'
import type { Context } from 'koa'

/** Answers for the route. */
export function write({ response }: Context, { status, headers, body = '' }: Reply): void {
  response.body = body
  response.status = status
  response.remove('Content-Type') // Koa has guessed one
  response.set(headers as Record<string, string | string[]>)
}

/**
 * What the route has answered, with the bytes that Koa is going to send once the middlewares are done. A body that
 * turns out larger than `limit` is left to go out as it comes, and the reply has none.
 */
export async function replyOf(ctx: Context, limit: number): Promise<Reply> {
  const { res, response } = ctx
  if (ctx.respond === false || ctx.headerSent) {
    if (!res.closed) await once(res, 'close') // the route writes by itself
    return headOf(ctx)
  }
  if (response.body === undefined) return spoken(ctx)
  if (response.type === 'text/event-stream') return headOf(ctx) // it may not end for hours
  const stream = streamOf(response.body)
  const body = stream ? await drained(stream, limit) : bytesOf(response.body)
  if (stream) resume(ctx, body)
  const tooLarge = !Buffer.isBuffer(body) || body.length > limit
  return { ...headOf(ctx), ...(tooLarge ? {} : { body }) }
}

const headOf = ({ status, response }: Context): Reply => ({
  status,
  headers: Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value : String(value),
    ]),
  ),
})

/** What Koa sends where a route has set no body. */
function spoken(ctx: Context): Reply {
  const head = headOf(ctx)
  if ([204, 205, 304].includes(head.status)) return { ...head, body: '' }
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  return { ...head, headers: { ...head.headers, ...type }, body: ctx.message || String(head.status) }
}

/** Gives Koa a stream's content back. */
function resume({ response }: Context, content: Buffer | Readable): void {
  const length = response.get('Content-Length')
  response.body = content
  if (length) response.set('Content-Length', length) // the setter has taken it off
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  if (body === null || body === undefined) return Buffer.alloc(0)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function streamOf(body: unknown): Readable | undefined {
  if (body instanceof Response) return Readable.from(body.body ?? [])
  if (body instanceof Blob) return streamOf(body.stream())
  if (body instanceof ReadableStream) return Readable.from(body)
  const pipes = typeof (body as { pipe?: unknown } | null | undefined)?.pipe === 'function'
  return pipes ? (body as Readable) : undefined
}

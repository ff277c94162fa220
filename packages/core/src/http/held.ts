import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Reply } from '../words/request.ts'

type Callback = (error?: Error | null) => void

/** A reply that a route has written and that has not gone out yet. */
export interface Held {
  /** Resolves when the route has ended its reply; without a body when that was too large and has passed through. */
  readonly reply: Promise<Reply>
  /** Lets it go out. */
  release(): void
  /** Forgets it, so that another reply can be written; too late when it has passed through. */
  drop(): void
}

/**
 * Holds back what a route writes to a response of `node:http`, so that a stage can store the reply before it is sent.
 * A body of more than `limitBytes` is let through as it comes: what is held goes out and the rest follows unchanged. So
 * is an event stream, from its first event.
 *
 * That the caller has left before the reply began is held back as well: the reply is wanted for repeats, and whoever
 * writes files or streams would not begin for a connection that is gone.
 */
export function hold(res: ServerResponse, limitBytes: number): Held {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back on the same object
  const { writeHead, write, end, flushHeaders, destroy, emit, socket } = res
  const chunks: Buffer[] = []
  let size = 0
  let begun = false
  /** What an error handler would change that comes after the end, and finds no headers to set. */
  let ended: Pick<ServerResponse, 'statusCode' | 'statusMessage'> | undefined
  let lastStatus = Infinity
  let hasLeft = false
  let whenSent: Callback | undefined
  let finish: (reply: Reply) => void
  const reply = new Promise<Reply>((resolve) => (finish = resolve))

  const restore = (): void => {
    Object.assign(res, { writeHead, write, end, flushHeaders, destroy, emit })
    for (const name of ['headersSent', 'writableEnded']) Reflect.deleteProperty(res, name)
    if (ended) Object.assign(res, { ...ended, _header: null })
    ended = undefined
    if (!hasLeft) return
    Object.assign(res, { destroyed: true, _closed: true, socket })
    res.emit('close')
  }
  const leave = (): void => {
    hasLeft = true
    // how streams, `on-finished` and `node:http` itself see whether somebody is there
    Object.assign(res, { destroyed: false, _closed: false, socket: null })
  }
  const snapshot = (): Reply => ({
    status: res.statusCode,
    headers: Object.fromEntries(
      Object.entries(res.getHeaders()).map(([name, value]) => [
        name,
        Array.isArray(value) ? value : String(value),
      ]),
    ),
  })
  const passThrough = (): void => {
    restore()
    for (const chunk of chunks.splice(0)) res.write(chunk)
    if (hasLeft) finish(snapshot())
  }
  /** What a route has written before it failed is given up: the app answers anew. */
  const dropOfFailed = (): void => {
    if (lastStatus < 500 && res.statusCode >= 500) size = chunks.length = 0
    lastStatus = res.statusCode
  }
  /** True when the chunk is held, false when it was one too many and everything passes through. */
  const keep = (chunk: unknown, encoding: unknown): boolean => {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : Buffer.from(chunk as Uint8Array) // a copy: the route may reuse its own
    begun = true
    dropOfFailed()
    size += bytes.length
    chunks.push(bytes)
    if (size <= limitBytes) return true
    passThrough()
    return false
  }

  Object.assign(res, {
    emit(name: string, ...args: unknown[]) {
      if (name !== 'close' || begun) return emit.call(res, name, ...args)
      leave()
      return false
    },
    writeHead(status: number, ...more: [string?, OutgoingHttpHeaders?] | [OutgoingHttpHeaders?]) {
      begun = true
      res.statusCode = status
      const [reason, headers = reason] = more
      if (typeof reason === 'string') res.statusMessage = reason
      if (headers && typeof headers === 'object') setHeaders(res, headers)
      return res
    },
    flushHeaders() {
      if (!isEventStream(res)) return // nothing goes out while the reply is held
      begun = true
      passThrough()
      res.flushHeaders()
    },
    /** The route gives its reply up, as `pipeline` does when what it sends fails. */
    destroy(error?: Error) {
      restore()
      finish({ status: 500, headers: {} })
      return res.destroy(error)
    },
    write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback) {
      if (ended) return true
      const done = typeof encoding === 'function' ? encoding : callback
      if (keep(chunk, encoding) && isEventStream(res)) passThrough()
      if (done) process.nextTick(done)
      return true
    },
    end(chunk?: unknown, encoding?: BufferEncoding | Callback, callback?: Callback) {
      if (ended) return res
      const done = [chunk, encoding, callback].find((one): one is Callback => typeof one === 'function')
      whenSent ??= done
      dropOfFailed()
      const more = chunk !== undefined && chunk !== null && typeof chunk !== 'function'
      if (more && !keep(chunk, encoding)) {
        res.end(...(done ? [done] : []))
        return res
      }
      const { statusCode, statusMessage } = res
      ended = { statusCode, statusMessage }
      for (const name of ['headersSent', 'writableEnded']) {
        Object.defineProperty(res, name, { value: true, configurable: true })
      }
      Object.assign(res, { _header: ' ' }) // for which `node:http` looks before it takes a header: a second reply fails
      finish({ ...snapshot(), body: Buffer.concat(chunks) })
      return res
    },
  })

  if (res.destroyed) leave()
  // a reply that has passed through is over; when its caller has left, the rest of it may never come
  res.once('close', () => begun && finish(snapshot()))

  return {
    reply,
    release() {
      if (!ended) return // it has passed through
      restore()
      res.end(Buffer.concat(chunks), whenSent)
    },
    drop() {
      if (res.headersSent && !ended) return
      restore()
      for (const name of res.getHeaderNames()) res.removeHeader(name)
    },
  }
}

/** It may not end for hours, and whoever asked wants each event when it comes. */
const isEventStream = (res: ServerResponse): boolean =>
  /^text\/event-stream\b/i.test(String(res.getHeader('content-type')))

/** `writeHead` takes an object or a list of names and values, in which a name may come again. */
function setHeaders(res: ServerResponse, headers: OutgoingHttpHeaders | readonly string[]): void {
  if (Array.isArray(headers)) {
    const list = headers as readonly string[]
    for (let i = 0; i < list.length; i += 2) res.removeHeader(list[i] ?? '')
    for (let i = 0; i + 1 < list.length; i += 2) res.appendHeader(list[i] ?? '', list[i + 1] ?? '')
    return
  }
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (value !== undefined) res.setHeader(name, value)
  }
}

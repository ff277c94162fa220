import { connect, type Socket } from 'node:net'

/** A reply as it came over the connection; status 0 when the connection ended without one. */
export interface WireReply {
  readonly status: number
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface WireRequest {
  readonly method?: string
  readonly path: string
  /** A list is one header line each. Nothing is checked or added but `host`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Buffer | string
  /** Without a `content-length` of its own, the body goes out with one that is right; or in chunks of this size. */
  readonly chunkBytes?: number
}

/** The bytes of a request, right or wrong. */
export function bytesOf({ method = 'POST', path, headers = {}, body = '', chunkBytes }: WireRequest): Buffer {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  const bytes = Buffer.from(body)
  const framing =
    chunkBytes !== undefined
      ? ['transfer-encoding: chunked']
      : names.includes('content-length')
        ? []
        : [`content-length: ${bytes.length}`]
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  )
  const head = [`${method} ${path} HTTP/1.1`, 'host: localhost', ...framing, ...lines, '', ''].join('\r\n')
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    chunkBytes === undefined ? bytes : inChunks(bytes, chunkBytes),
  ])
}

function inChunks(bytes: Buffer, size: number): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

/** A connection on which anything can be sent. */
export class Wire {
  readonly socket: Socket
  /** Resolves when the other side has ended the connection, however. */
  readonly closed: Promise<unknown>
  #received: Buffer = Buffer.alloc(0)
  #hear: () => void = () => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('end', resolve).once('close', resolve))
    socket.on('error', () => undefined) // a reset is an answer, too
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#hear()
    })
    socket.on('close', () => this.#hear())
  }

  static open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Wire(socket)))
    })
  }

  /** Writes as fast as the other side takes it, and stops quietly when it takes no more. */
  send(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes)
  }

  /** The next reply. */
  reply(method = 'POST'): Promise<WireReply> {
    return new Promise((resolve) => {
      this.#hear = () => {
        const taken = firstReply(this.#received, method)
        if (!taken && !this.socket.destroyed) return
        this.#received = taken?.rest ?? this.#received
        this.#hear = () => undefined
        resolve(taken?.reply ?? { status: 0, headers: {}, body: '' })
      }
      this.#hear()
    })
  }

  end(): void {
    this.socket.destroy()
  }
}

/**
 * Sends the bytes of one request and gives the first reply to it.
 * @param patienceMs  how long to wait for one; then the connection is ended from here, and the status is -1
 */
export async function exchange(
  port: number,
  request: WireRequest | Buffer,
  patienceMs = 60_000,
): Promise<WireReply> {
  const wire = await Wire.open(port)
  let isLate = false
  const patience = setTimeout(() => {
    isLate = true
    wire.end()
  }, patienceMs)
  wire.send(Buffer.isBuffer(request) ? request : bytesOf(request))
  const reply = await wire.reply(Buffer.isBuffer(request) ? 'POST' : request.method)
  clearTimeout(patience)
  wire.end()
  return isLate ? { ...reply, status: -1 } : reply
}

function firstReply(received: Buffer, method: string): { reply: WireReply; rest: Buffer } | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [first = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const status = Number(first.split(' ')[1])
  const bodyAt = headEnd + 4
  if (status === 100) return firstReply(received.subarray(bodyAt), method)
  const length = method === 'HEAD' || status === 204 ? 0 : Number(headers['content-length'] ?? 0)
  if (received.length < bodyAt + length) return undefined
  const body = received.toString('utf8', bodyAt, bodyAt + length)
  return { reply: { status, headers, body }, rest: received.subarray(bodyAt + length) }
}

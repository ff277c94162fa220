import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import getRawBody from 'raw-body'
import { bytes, milliseconds, type Duration, type Size } from '../words/amounts.ts'
import { clockOf, type Clock } from '../words/clock.ts'
import { WebhookError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'
import type { Stage, WebhookRequest } from '../words/request.ts'

export interface RawBodyOptions {
  /** Largest body, as received and also once inflated. Default `'1mb'`. */
  limit?: Size
  /** How long the body may take to arrive. Default `'10s'`. */
  bodyTimeout?: Duration
  clock?: Clock
}

/**
 * Reads the exact bytes of the body into `webhook.rawBody`, if no other stage has. A body with a content-encoding of
 * gzip, deflate or br is inflated; the bytes as received are then in `webhook.wireBody`.
 * @throws WebhookError `ERR_BODY_TOO_LARGE`, `ERR_BODY_TIMEOUT`, `ERR_BODY_ABORTED`, `ERR_BODY_ENCODING_UNSUPPORTED`,
 *   `ERR_BODY_ENCODING_INVALID`, and `ERR_BODY_CONSUMED` when a body parser was first
 */
export function rawBody(options: RawBodyOptions = {}): Stage {
  knownOptions('rawBody', options, ['limit', 'bodyTimeout', 'clock'])
  const { limit: largest = '1mb', bodyTimeout = '10s' } = options
  const limit = bytes(largest, 'limit', 1)
  const timeoutMs = milliseconds(bodyTimeout, 'bodyTimeout', ['1ms'])
  const clock = clockOf(options.clock)
  return async (request, next) => {
    if (request.webhook.rawBody === undefined) await readBody(request, limit, timeoutMs, clock)
    return await next()
  }
}

async function readBody(
  request: WebhookRequest,
  limit: number,
  timeoutMs: number,
  clock: Clock,
): Promise<void> {
  const { stream, webhook } = request
  if (stream.readableDidRead || stream.readableEnded || stream.readableEncoding) throw consumed()
  const decode = decoderOf(request.headers.get('content-encoding'))
  const received = await read(stream, request.headers.get('content-length'), limit, timeoutMs, clock)
  if (decode && received.length > 0) {
    webhook.wireBody = received
    webhook.rawBody = await inflated(decode, received, limit)
  } else {
    webhook.rawBody = received
  }
}

const consumed = (): WebhookError =>
  new WebhookError(
    'ERR_BODY_CONSUMED',
    'A body parser has read this request before Trigger Hub, so the exact bytes are gone. ' +
      'Move the line that adds the parser, such as app.use(express.json()), below the line that adds the webhooks.',
  )

function read(
  stream: Readable,
  length: string | undefined,
  limit: number,
  timeoutMs: number,
  clock: Clock,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => {
      stream.pause()
      reject(new WebhookError('ERR_BODY_TIMEOUT', `The body did not arrive within ${timeoutMs} ms.`))
    })
    getRawBody(stream, { limit, length: length ?? null }).then(
      (body) => {
        cancel()
        resolve(body)
      },
      (error: Error & { type?: string }) => {
        cancel()
        if (error.type !== 'entity.too.large') return reject(aborted(error))
        discardRest(stream, timeoutMs, clock)
        reject(tooLarge(limit))
      },
    )
  })
}

const aborted = (cause: Error): WebhookError =>
  new WebhookError('ERR_BODY_ABORTED', 'The connection ended before the whole body arrived.', { cause })

/** A sender that is cut off while it writes may not get to read why, so it may write on for a while, into nothing. */
function discardRest(stream: Readable, forMs: number, clock: Clock): void {
  const cancel = clock.after(forMs, () => stream.destroy())
  stream.once('close', cancel)
  stream.resume()
}

const tooLarge = (limit: number): WebhookError =>
  new WebhookError(
    'ERR_BODY_TOO_LARGE',
    `The body is larger than the limit of ${limit} bytes (option "limit").`,
  )

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const decoders = new Map<string, Decode>([
  ['gzip', promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)],
  ['x-gzip', promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)],
  ['deflate', promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate)],
  ['br', promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress)],
])

function decoderOf(encoding: string | undefined): Decode | undefined {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return undefined
  const decode = decoders.get(name)
  if (decode) return decode
  throw new WebhookError(
    'ERR_BODY_ENCODING_UNSUPPORTED',
    'The content-encoding is not one of gzip, deflate, br and identity.',
  )
}

async function inflated(decode: Decode, body: Buffer, limit: number): Promise<Buffer> {
  try {
    return await decode(body, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new WebhookError('ERR_BODY_ENCODING_INVALID', 'The body is not what its content-encoding says.', {
      cause: error,
    })
  }
}

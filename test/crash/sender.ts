import { createHash } from 'node:crypto'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { eventually } from '../eventually.ts'
import { crashSecret } from './secret.ts'
import { appender, type Sent } from './ledger.ts'

/** A request of the sender, the same bytes each time it is sent. */
export interface Message {
  readonly key: string
  readonly type: string
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly forged: boolean
}

const source = hmac({ secret: crashSecret })
/** For an event to be accepted, over any number of processes that are killed. */
const patienceMs = 120_000

/** `key` ends with the number, which is what the bots go by. */
export function message(n: number, { forged = false } = {}): Message {
  const key = `${forged ? 'forged' : 'event'}-${n}`
  const type = n % 3 === 0 ? 'users.created' : 'orders.created'
  const body = Buffer.from(JSON.stringify({ key, padding: 'x'.repeat((n * 97) % 2_000) }))
  const signature = sign(source, { rawBody: forged ? Buffer.from('another body') : body, nowMs: Date.now() })
  return {
    key,
    type,
    body,
    forged,
    headers: {
      ...signature,
      'x-idempotency-key': key,
      'x-event-type': type,
      'content-type': 'application/json',
    },
  }
}

/** Sends, writes down what it saw, and tries again as senders do. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 })
  readonly #log: (line: Sent) => void
  readonly #port: () => number
  #isClosed = false

  /** @param port  where the receiver is now; 0 while there is none */
  constructor(folder: string, port: () => number) {
    this.#log = appender<Sent>(folder, 'sent')
    this.#port = port
  }

  /** One request, and what came of it. @throws Error when the sender is closed */
  async post({
    key,
    type,
    body,
    headers,
    forged,
  }: Message): Promise<Sent & { retryAfter?: string | undefined }> {
    if (this.#isClosed) throw new Error('The sender is closed.')
    const answer = await this.#request(body, headers)
    const event = answer?.headers['trigger-hub-event']
    const line: Sent = {
      key,
      type,
      digest: createHash('sha256').update(body).digest('base64url'),
      status: answer?.statusCode ?? 0,
      duplicate: answer?.headers['trigger-hub-duplicate'] === '?1',
      ...(typeof event === 'string' ? { event } : {}),
      ...(forged ? { forged } : {}),
    }
    this.#log(line)
    return { ...line, retryAfter: answer?.headers['retry-after'] }
  }

  /** Sends until the answer is final: 2xx or 4xx. */
  async deliver(message: Message): Promise<Sent> {
    return eventually(async () => {
      if (this.#port() === 0 && !this.#isClosed) return
      const sent = await this.post(message)
      return sent.status >= 200 && sent.status < 500 && sent
    }, patienceMs)
  }

  close(): void {
    this.#isClosed = true
    this.#agent.destroy()
  }

  #request(body: Buffer, headers: Message['headers']): Promise<IncomingMessage | undefined> {
    return new Promise((resolve) => {
      const asked = httpRequest(
        {
          host: '127.0.0.1',
          port: this.#port(),
          path: '/webhooks/shop',
          method: 'POST',
          agent: this.#agent,
          headers: { ...headers, 'content-length': body.length },
        },
        (answer) => {
          answer.resume()
          answer.once('end', () => resolve(answer))
          answer.once('close', () => resolve(answer.complete ? answer : undefined))
        },
      )
      asked.once('error', () => resolve(undefined))
      asked.end(body)
    })
  }
}

import { request as httpRequest, type IncomingMessage } from 'node:http'

export interface Sent {
  readonly method?: string
  /** A list sends the line several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Buffer | string
  /** The caller leaves when it aborts. */
  readonly signal?: AbortSignal
}

export interface Got {
  readonly status: number
  /** Lower case; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** One request on a connection of its own, as it is written here: nothing is added but what HTTP needs. */
export function send(url: string, { method = 'POST', headers = {}, body = '', signal }: Sent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const length =
      method === 'POST' && !('transfer-encoding' in headers)
        ? { 'content-length': Buffer.byteLength(body) }
        : {}
    const request = httpRequest(url, {
      method,
      agent: false,
      headers: { ...length, ...(headers as Record<string, string>) },
      ...(signal ? { signal } : {}),
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: joined(response), body: Buffer.concat(chunks) }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Sends the first half of the body and leaves. Resolves when the app has ended the connection, as nothing more can come. */
export function sendHalf(url: string, { method = 'POST', headers = {}, body = '' }: Sent): Promise<void> {
  return new Promise((resolve) => {
    const bytes = Buffer.from(body)
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': bytes.length }
    const request = httpRequest(url, {
      method,
      agent: false,
      headers: { ...length, ...(headers as Record<string, string>) },
    })
    request.on('error', () => undefined) // there is no answer to a half
    request.on('socket', (socket) => {
      socket.once('close', resolve)
      request.write(bytes.subarray(0, bytes.length >> 1), () => socket.end())
    })
  })
}

const joined = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))

/** The stable code of a problem body, with the status that it came with. */
export function problem({ status, body, headers }: Got): {
  status: number
  code: unknown
  type: string | undefined
} {
  const { code } = JSON.parse(body.toString() || '{}') as { code?: unknown }
  return { status, code, type: headers['content-type'] }
}

/** What `problem` gives for a refusal. */
export const refusal = (status: number, code: string) => ({ status, code, type: 'application/problem+json' })

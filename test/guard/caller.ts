import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/** An answer of the guarded route. */
export interface Answer {
  readonly status: number
  readonly replayed: boolean
  readonly retryAfter: string | undefined
  /** Status, the headers that a repeat must have as well, and the bytes. */
  readonly said: string
}

/** One request with this key; undefined when the connection ended without an answer. */
export function charge(port: number, key: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const body = JSON.stringify({ amount: 1, of: key })
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
    }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/charges', headers, agent: false })
    sent.on('error', () => resolve(undefined))
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => resolve(undefined))
      response.on('end', () => {
        const { statusCode: status = 0, headers: got } = response
        const bytes = Buffer.concat(chunks).toString('base64')
        resolve({
          status,
          replayed: got['idempotency-replayed'] === 'true',
          retryAfter: got['retry-after'],
          said: [status, got['content-type'], got['content-length'], got.location, bytes].join(' '),
        })
      })
    })
    sent.end(body)
  })
}

const patienceMs = 60_000

/**
 * Sends until there is an answer, as callers do that are told 409 or lose the connection.
 * @throws Error when there is none for a minute
 * @param port  where to send the nth try
 */
export async function charged(
  port: (nth: number) => number,
  key: string,
): Promise<Answer & { refused: number }> {
  let refused = 0
  const endsAt = performance.now() + patienceMs
  for (let nth = 0; performance.now() < endsAt; nth++) {
    const answer = await charge(port(nth), key)
    if (answer && answer.status !== 409) return { ...answer, refused }
    if (answer) refused++
    await wait(100) // callers of a busy machine that asked all the time would keep it from its leases
  }
  throw new Error(`No answer for the key ${key}.`)
}

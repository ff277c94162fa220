import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { handshake, RequestHeaders, verify } from '@trigger-hub/core/verify'
import { presetOf, type Vector } from './run.ts'

interface Exchange extends Omit<Vector, 'expect'> {
  provider: string
  expectResponse: {
    status?: number
    statusAnyOf?: number[]
    headers?: Record<string, string | { present: boolean }>
    body?: string
    json?: unknown
    anyOf?: { body?: string; json?: unknown }[]
    bodyAbsent?: boolean
  }
}

const { vectors } = JSON.parse(readFileSync(join(__dirname, 'handshakes.json'), 'utf8')) as { vectors: Exchange[] }

/** What a receiver does with a request: a validation before verification, verification, a validation after it. */
function replyTo({ provider, config, secret = 'a secret that is not asked for', publicKey, ...vector }: Exchange) {
  const keys = provider === 'discord' ? { publicKey } : { secret }
  const settings = provider === 'monday' ? { audience: vector.url } : {}
  const source = presetOf(provider)!({ ...keys, ...settings, ...config })
  const rawBody = Buffer.from(vector.bodyBase64, 'base64')
  const request = {
    method: vector.method,
    url: new URL(vector.url).pathname + new URL(vector.url).search,
    headers: RequestHeaders.from(vector.headers),
    rawBody,
  }
  const payload = () => JSON.parse(rawBody.toString()) as unknown
  const before = handshake(source, request, payload, { verified: false })
  if (before) return before
  const { refusalStatus = 401, ackStatus = 200 } = source.preset
  if (!verify(source, request, vector.now * 1_000).ok) return { status: refusalStatus, headers: {} }
  return handshake(source, request, payload, { verified: true }) ?? { status: ackStatus, headers: {} }
}

describe('endpoint validations', () => {
  it.each(vectors)('$provider: $name', (exchange) => {
    const { expectResponse: expected } = exchange
    const reply: { status: number; headers: Record<string, unknown>; body?: unknown } = replyTo(exchange)
    const body = typeof reply.body === 'string' ? reply.body : ''

    expect(expected.statusAnyOf ?? [expected.status]).toContain(reply.status)
    for (const [name, value] of Object.entries(expected.headers ?? {})) {
      const given = reply.headers[name]
      if (typeof value === 'string') expect(String(given).split(';')[0]).toBe(value)
      else expect(given !== undefined).toBe(value.present)
    }
    if (expected.bodyAbsent) expect(body).toBe('')
    const bodies = expected.anyOf ?? [expected]
    const fits = bodies.some(
      (one) =>
        (one.body === undefined || one.body === body) &&
        (one.json === undefined || JSON.stringify(one.json) === JSON.stringify(sorted(one.json, body))),
    )
    expect({ body, fits }).toEqual({ body, fits: true })
    if (body !== '') expect(reply.headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
  })

  /** The reply's JSON with its members in the order of the expected ones. */
  function sorted(like: unknown, body: string): unknown {
    const given = JSON.parse(body) as Record<string, unknown>
    const names = Object.keys(like as object)
    return Object.keys(given).length === names.length
      ? Object.fromEntries(names.map((name) => [name, given[name]]))
      : given
  }
})

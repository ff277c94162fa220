import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { systemClock, TriggerHub } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { Source } from '@trigger-hub/core/verify'
import { optionsOf, presetOf, type Vector } from './run.ts'

/** An endpoint validation: a request, and the reply that it should get. */
export interface Exchange extends Omit<Vector, 'expect'> {
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

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
  /** The text with which the sender wants any event answered. */
  ackBody?: string | undefined
  /** What reached a bot. */
  events: unknown[]
}

/** The endpoint validations of a folder; none when it has no `handshakes.json`. */
export function exchangesIn(folder: string): Exchange[] {
  const file = join(folder, 'handshakes.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { vectors: Exchange[] }).vectors : []
}

/** Sends the request to a hub with this one source, and says what came back and what reached a bot. */
export async function exchanged(exchange: Exchange): Promise<Answer> {
  const { now = Date.now() / 1_000 } = exchange as Partial<Exchange> // files made elsewhere may leave it out
  const source = sourceOf(exchange)
  const hub = new TriggerHub({
    driver: memory(),
    allowVolatile: true,
    endpoint: new URL(exchange.url).pathname as `/${string}`,
    source,
    clock: { ...systemClock, now: () => now * 1_000 },
  })
  try {
    const events: unknown[] = []
    hub.bot('bot', { on: '*:**' }, (event) => void events.push(event))
    const server = await hub.listen({ port: 0, host: '127.0.0.1' })
    await hub.work()
    const reply = await sent(exchange, (server.address() as AddressInfo).port)
    return { ...reply, ackBody: source.preset.ackBody, events }
  } finally {
    await hub.close()
  }
}

/** Not `fetch`, which puts its own host: the one of the URL may be signed. */
function sent(exchange: Exchange, port: number): Promise<Pick<Answer, 'status' | 'headers' | 'body'>> {
  const { method, url, bodyBase64 = '' } = exchange
  const { headers } = exchange as Partial<Exchange> // files made elsewhere may leave them out
  const { host, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const sending = request({
      host: '127.0.0.1',
      port,
      method,
      path: pathname + search,
      headers: { host, ...headers },
      agent: false,
    })
    sending.on('error', reject).on('response', (reply) => {
      const lines = Object.entries(reply.headers).map(([name, value]) => [name, [value].flat().join(', ')])
      const answer = { status: reply.statusCode ?? 0, headers: Object.fromEntries(lines) as Answer['headers'] }
      text(reply).then((body) => resolve({ ...answer, body }), reject)
    })
    sending.end(Buffer.from(bodyBase64, 'base64'))
  })
}

/** The source as configured; what an exchange leaves out is not asked for and made up. */
function sourceOf(exchange: Exchange): Source {
  const preset = presetOf(exchange.provider)
  if (!preset) throw new Error(`there is no preset "${exchange.provider}"`)
  const { url: audience } = exchange
  const filled = [{}, { secret: 'a secret that is not asked for' }]
    .flatMap((missing) => [missing, { ...missing, config: { audience, ...exchange.config } }])
    .map((missing) => optionsOf(preset, { expect: 'valid', ...exchange, ...missing }))
  for (const options of filled.slice(0, -1)) {
    try {
      return preset(options)
    } catch {
      // something is missing; the next ones have more
    }
  }
  return preset(filled.at(-1) ?? {})
}

/** What of an answer is not as expected, a line each. */
export function differences({ expectResponse: expected }: Exchange, answer: Answer): string[] {
  const { status, headers, body, ackBody, events } = answer
  const wrong: string[] = []
  if (!(expected.statusAnyOf ?? [expected.status]).includes(status)) wrong.push(`status ${status}`)
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const given = headers[name]
    const fits = typeof value === 'string' ? given?.split(';')[0] === value : (given !== undefined) === value.present
    if (!fits) wrong.push(`${name}: ${given}`)
  }
  if (expected.bodyAbsent && body !== '') wrong.push(`body ${body}`)
  const fits = (expected.anyOf ?? [expected]).some(
    (one) =>
      (one.body === undefined || one.body === body) && (one.json === undefined || alike(one.json, body)),
  )
  if (!fits) wrong.push(`body ${body}`)
  if (body === '' || body === ackBody) return wrong
  if (events.length > 0) wrong.push('an event reached a bot')
  if (status === 200 && headers['x-content-type-options'] !== 'nosniff') wrong.push('an echo without nosniff')
  return wrong
}

/** Whether a body is JSON with just these members, in any order. */
function alike(json: unknown, body: string): boolean {
  try {
    const given = JSON.parse(body) as Record<string, unknown>
    const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort())
    return sorted(given) === sorted(json as object)
  } catch {
    return false
  }
}

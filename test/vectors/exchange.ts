import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
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
  const { method, bodyBase64 = '' } = exchange
  // files made elsewhere may leave these out
  const { headers = {}, now = Date.now() / 1_000 } = exchange as Partial<Exchange>
  const { pathname, search } = new URL(exchange.url)
  const hub = new TriggerHub({
    driver: memory(),
    allowVolatile: true,
    endpoint: pathname as `/${string}`,
    source: sourceOf(exchange),
    clock: { ...systemClock, now: () => now * 1_000 },
  })
  try {
    const events: unknown[] = []
    hub.bot('bot', { on: '*:**' }, (event) => void events.push(event))
    const server = await hub.listen({ port: 0, host: '127.0.0.1' })
    await hub.work()
    const { port } = server.address() as AddressInfo
    const reply = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
      method,
      headers: Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, one]),
      ),
      ...(method === 'POST' ? { body: Buffer.from(bodyBase64, 'base64') } : {}),
    })
    const body = await reply.text()
    return { status: reply.status, headers: Object.fromEntries(reply.headers), body, events }
  } finally {
    await hub.close()
  }
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
  const { status, headers, body, events } = answer
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
  if (body !== '' && events.length > 0) wrong.push('an event reached a bot')
  if (body !== '' && status === 200 && headers['x-content-type-options'] !== 'nosniff')
    wrong.push('an echo without nosniff')
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

import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { systemClock, TriggerHub } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
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

const hubs: TriggerHub[] = []
afterEach(() => Promise.all(hubs.splice(0).map((hub) => hub.close())))

/** Sends the request to a hub with this one source, and says what came back and what reached a bot. */
async function exchanged({ provider, config, secret = 'a secret that is not asked for', publicKey, ...vector }: Exchange) {
  const keys = provider === 'discord' ? { publicKey } : { secret }
  const settings = provider === 'monday' ? { audience: vector.url } : {}
  const { pathname, search } = new URL(vector.url)
  const hub = new TriggerHub({
    driver: memory(),
    allowVolatile: true,
    endpoint: pathname as `/${string}`,
    source: presetOf(provider)!({ ...keys, ...settings, ...config }),
    clock: { ...systemClock, now: () => vector.now * 1_000 },
  })
  const events: unknown[] = []
  hub.bot('bot', { on: '*:**' }, (event) => void events.push(event))
  hubs.push(hub)
  const server = await hub.listen({ port: 0, host: '127.0.0.1' })
  await hub.work()
  const { port } = server.address() as AddressInfo
  const reply = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
    method: vector.method,
    headers: vector.headers as Record<string, string>,
    ...(vector.method === 'POST' ? { body: Buffer.from(vector.bodyBase64, 'base64') } : {}),
  })
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text(), events }
}

describe('endpoint validations', () => {
  it.each(vectors)('$provider: $name', async (exchange) => {
    const { expectResponse: expected } = exchange
    const { body, events, ...reply } = await exchanged(exchange)

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
    if (body !== '') expect(events).toEqual([])
    if (body !== '' && reply.status === 200) expect(reply.headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
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

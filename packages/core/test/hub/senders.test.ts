import type { AddressInfo } from 'node:net'
import { TriggerHub } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { adyen, mandrill, twitch } from '@trigger-hub/core/sources'
import { sign, type Source } from '@trigger-hub/core/verify'
import { eventually } from './hub.ts'

const hubs: TriggerHub[] = []
afterEach(() => Promise.all(hubs.splice(0).map((hub) => hub.close())))

/** A hub of one sender, what its bot saw, and how to send to it. */
async function receiving(source: Source) {
  const seen: unknown[] = []
  const hub = new TriggerHub({ driver: memory(), allowVolatile: true, endpoint: '/in', source })
  hub.bot('bot', { on: '*:**' }, ({ data }) => void seen.push(data))
  hubs.push(hub)
  const server = await hub.listen({ port: 0, host: '127.0.0.1' })
  await hub.work()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`
  const post = (headers: Record<string, string>, body: string) =>
    fetch(url, { method: 'POST', headers, body })
  return { post, seen }
}

test('refuses with the status that the sender asks for', async () => {
  const { post } = await receiving(twitch({ secret: 'a secret of twitch' }))
  const reply = await post({ 'content-type': 'application/json' }, '{}')
  expect([reply.status, await reply.json()]).toMatchObject([403, { code: 'ERR_UNAUTHORIZED' }])
})

test('hands the bot the payload that a sender wraps in a form', async () => {
  const source = mandrill({ secret: 'a key of mandrill', publicUrl: 'https://hooks.example.com' })
  const { post, seen } = await receiving(source)
  const body = new URLSearchParams({ mandrill_events: '[{"event":"send"}]' }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const own = sign(source, {
    rawBody: Buffer.from(body),
    url: 'https://hooks.example.com/in',
    headers,
    nowMs: Date.now(),
  })
  expect((await post({ ...headers, ...own }, body)).status).toBe(200)
  await eventually(() => seen.length === 1)
  expect(seen).toEqual([[{ event: 'send' }]])
})

test('answers with the text that the sender asks for', () => {
  expect(adyen({ secret: 'ab'.repeat(32) }).preset.ackBody).toBe('[accepted]')
})

import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { TriggerHub } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { adyen, awsSns, mandrill, twitch } from '@trigger-hub/core/sources'
import { sign, type Source } from '@trigger-hub/core/verify'
import type { VectorFile } from '../../../../test/vectors/run.ts'
import { eventually } from '../../../../test/eventually.ts'

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

test('asks SNS to come again when a subscription cannot be confirmed, and tells no bot', async () => {
  const file = join(__dirname, '../../../../test/vectors/aws-sns.json')
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as VectorFile
  const { bodyBase64, certificates } = vectors.find(({ name }) =>
    name.startsWith('SubscriptionConfirmation'),
  )!
  const body = Buffer.from(bodyBase64, 'base64').toString()
  const { TopicArn: topicArn } = JSON.parse(body) as { TopicArn: string }
  // its token is made up, so Amazon refuses it; without a network it is out of reach
  const { post, seen } = await receiving(awsSns({ certificates: certificates!, topicArn, confirm: true }))
  const reply = await post({ 'content-type': 'text/plain; charset=UTF-8' }, body)
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
  expect(seen).toEqual([])
})

test('answers with the text that the sender asks for', () => {
  expect(adyen({ secret: 'ab'.repeat(32) }).preset.ackBody).toBe('[accepted]')
})

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import examples from '@octokit/webhooks-examples'
import type { Webhook } from './sender.ts'

/** Everything that GitHub sends, as collected from the real ones: some 330 payloads. */
export const everythingOfGitHub = (): Webhook[] =>
  examples.flatMap(({ name, examples }) => examples.map((payload) => gitHub(name, payload)))

/** The first example of an event of GitHub, such as `push`. */
export function ofGitHub(event: string): Webhook {
  const [payload] = examples.find(({ name }) => name === event)?.examples ?? []
  return gitHub(event, payload)
}

function gitHub(event: string, payload: unknown): Webhook {
  const key = randomUUID()
  const headers = { 'x-github-event': event, 'x-github-delivery': key }
  return { source: 'code', key, headers, body: Buffer.from(JSON.stringify(payload)) }
}

/** An order in a Shopify shop. */
export function order(): Webhook {
  const key = randomUUID()
  const headers = { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': key }
  return { source: 'shop', key, headers, body: vector('shopify') }
}

/** A payment at Stripe, whose id is in the payload. */
export function payment(): Webhook {
  const key = `evt_${randomUUID()}`
  const event = { ...(JSON.parse(vector('stripe').toString()) as object), id: key }
  return { source: 'pay', key, headers: {}, body: Buffer.from(JSON.stringify(event)) }
}

/** A sign-up, from any sender that follows Standard Webhooks. */
export const signUp = (): Webhook => ({
  source: 'accounts',
  key: `msg_${randomUUID()}`,
  headers: {},
  body: vector('standard-webhooks'),
})

/** The body of a provider's first vector. */
function vector(provider: string): Buffer {
  const file = join(__dirname, '..', '..', 'test', 'vectors', `${provider}.json`)
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: { bodyBase64: string }[] }
  return Buffer.from(vectors[0]?.bodyBase64 ?? '', 'base64')
}

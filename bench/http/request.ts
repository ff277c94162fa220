import { shopify, stripe } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'

export const secret = 'whsec_benchmarkbenchmarkbenchmark'

/** Senders: one that writes id and type of an event into its payload, and one that has them in headers. */
export const sources = { stripe: stripe({ secret }), shopify: shopify({ secret }) }

/** A signed request with a JSON body of 2 KB, as bytes to write to a socket. */
export function requestBytes(sender: keyof typeof sources): Buffer {
  const lines = Array.from({ length: 12 }, (_, i) => ({
    id: `li_${i}`,
    object: 'line_item',
    amount: 100 * i,
    currency: 'eur',
    description: 'A thing that was bought, and its long name',
  }))
  const event = {
    id: 'evt_1',
    object: 'event',
    type: 'checkout.session.completed',
    data: { object: { lines } },
  }
  const rawBody = Buffer.from(JSON.stringify(event).padEnd(2_048))
  const headers = {
    host: '127.0.0.1',
    'user-agent': 'bench',
    accept: '*/*',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(rawBody.length),
    ...sign(sources[sender], { rawBody, nowMs: Date.now() }),
    ...(sender === 'shopify'
      ? { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': '0b6b6a70-1d2f' }
      : {}),
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST /webhooks/${sender} HTTP/1.1\r\n${head.join('')}\r\n`), rawBody])
}

/**
 * Plays the senders: one signed event of each kind. With the secrets of the app in the environment:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs examples/shared/send.ts http://localhost:3000/webhooks
 */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { sign } from '@trigger-hub/core/verify'
import { sources } from './sources.ts'

const user = { id: 'user_1', name: 'Ada', email: 'ada@example.com', phone: '+44 20 7946 0000' }
const level = { inventory_item_id: 271878346, location_id: 24826418, available: 4 }
const order = {
  id: 4289067428,
  name: '#1001',
  email: 'ada@example.com',
  total_price: '199.00',
  currency: 'EUR',
  line_items: [{ title: 'Difference engine', quantity: 2 }],
}

const id = randomUUID()
const ofShop = (topic: string) => ({ 'x-shopify-topic': topic, 'x-shopify-webhook-id': `${id}-${topic}` })

void (async () => {
  await send('accounts', { type: 'user.created', timestamp: new Date().toISOString(), data: user }, {})
  await send('shop', level, ofShop('inventory_levels/update'))
  await send('shop', order, ofShop('orders/create'))
})()

async function send(source: keyof typeof sources, payload: object, headers: Record<string, string>) {
  const rawBody = Buffer.from(JSON.stringify(payload))
  const all = { 'content-type': 'application/json', ...headers }
  const signed = sign(sources[source], { rawBody, headers: all, nowMs: Date.now() })
  const url = `${process.argv[2]}/${source}`
  for (;;) {
    const { status } = await fetch(url, { method: 'POST', headers: { ...all, ...signed }, body: rawBody })
    console.log(`${status} ${url}`)
    if (status !== 503) return
    await setTimeout(1_000) // the event was not safe in time, so it comes again, as from every sender
  }
}

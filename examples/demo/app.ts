import type { LogRecord } from '@trigger-hub/core'
import { github, shopify, standardWebhooks, stripe } from '@trigger-hub/core/sources'
import { embedded } from '@trigger-hub/embedded'
import { createServer, TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'
import { bots, type Order } from './bots.ts'
import { Journal } from './journal.ts'

const { ROLE, PORT, FOLDER = '.', SHIPPING = 'broken' } = process.env
const { GITHUB_SECRET = '', SHOPIFY_SECRET = '', STRIPE_SECRET = '', ACCOUNTS_SECRET = '' } = process.env

const log = new Journal<LogRecord>(`${FOLDER}/app.jsonl`)

const hub = new TriggerHub({
  driver: embedded({ path: `${FOLDER}/hub.db`, lease: '3s' }), // 10 s by default: too long to watch after a kill
  sources: {
    code: github({ secret: GITHUB_SECRET }),
    shop: shopify<{ 'orders.create': Order }>({ secret: SHOPIFY_SECRET }),
    pay: stripe({ secret: STRIPE_SECRET }),
    accounts: standardWebhooks({ secret: ACCOUNTS_SECRET }),
  },
  signals: true,
  log: (record) => log.write(record),
})

const { archive, search, invoice, shipping } = bots(FOLDER, SHIPPING === 'fixed')
hub.bot('archive', { on: '*:**' }, archive)
hub.bot('search', { on: 'code:**' }, search)
hub.bot('invoice', { on: 'shop:orders.*' }, invoice) // by default: 3 retries, after 1 s, 2 s and 4 s
hub.bot('shipping', { on: 'shop:orders.*' }, shipping)

const app = express()
app.use('/webhooks', webhooks(hub)) // POST /webhooks/code → 200 once stored

// what an operator needs; in an app of your own, behind its login
app.get('/dead-letters', async (_req, res) => {
  const letters = await hub.deadLetters.list()
  res.json(letters.map(({ id, bot, reason, attempts }) => ({ id, bot, reason, attempts })))
})
app.post('/dead-letters/:id/redrive', async (req, res) => {
  res.json({ redriven: await hub.deadLetters.redrive(req.params.id) })
})

// one program, two processes: one receives, the other one works; they share a file and nothing else
const ready = (port?: number): void => void process.send?.({ port })
if (ROLE === 'worker') {
  void hub.work().then(() => ready())
} else {
  const server = createServer(app).listen(Number(PORT), '127.0.0.1', () => {
    const address = server.address()
    ready(typeof address === 'object' ? address?.port : undefined)
  })
}
process.once('disconnect', () => process.exit()) // ends with the demo, however that ends

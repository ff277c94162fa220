import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { WebhookEvent } from '@trigger-hub/core'
import { github } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'

interface Issue {
  action: string
}

const code = github<{ 'issues.opened': Issue }>({ secret: "It's a Secret to Everybody" })
const hub = new TriggerHub({ sources: { code }, acceptTimeout: '30s' })
const handled = new Promise<WebhookEvent<Issue>>((resolve) => {
  hub.bot('greet', { on: 'code:issues.opened' }, resolve)
})
// @ts-expect-error no such source: the types have arrived
void (() => hub.bot('misspelt', { on: 'cod:issues.opened' }, () => undefined))
await hub.work()

const app = express().use('/webhooks', webhooks(hub))
app.use((req, res) => void res.json({ verified: req.webhook?.verified satisfies boolean | undefined }))
const server = app.listen(0)
await once(server, 'listening')

const body = Buffer.from('{"action":"opened"}')
const headers = { 'x-github-event': 'issues', ...sign(code, { rawBody: body, nowMs: Date.now() }) }
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/code`
const { status } = await fetch(url, { method: 'POST', headers, body })
const { type, data } = await handled

console.log(status, type, data.action satisfies string)
server.close()
await hub.close()

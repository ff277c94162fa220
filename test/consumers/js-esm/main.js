import { once } from 'node:events'
import { github } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'

const code = github({ secret: "It's a Secret to Everybody" })
const hub = new TriggerHub({ sources: { code }, acceptTimeout: '30s' })
const handled = new Promise((resolve) => hub.bot('greet', { on: 'code:issues.opened' }, resolve))
await hub.work()

const server = express().use('/webhooks', webhooks(hub)).listen(0)
await once(server, 'listening')

const body = Buffer.from('{"action":"opened"}')
const headers = { 'x-github-event': 'issues', ...sign(code, { rawBody: body, nowMs: Date.now() }) }
const url = `http://127.0.0.1:${server.address().port}/webhooks/code`
const { status } = await fetch(url, { method: 'POST', headers, body })
const { type } = await handled

console.log(status, type)
server.close()
await hub.close()

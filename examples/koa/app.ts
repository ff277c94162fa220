import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import { embedded } from '@trigger-hub/embedded'
import { TriggerHub, webhooks } from '@trigger-hub/koa'
import Koa from 'koa'
import { addBots } from '../shared/bots.ts'
import { outbox } from '../shared/outbox.ts'
import { sources } from '../shared/sources.ts'

const { PORT = '3000', DATA = '.trigger-hub' } = process.env

const hub = new TriggerHub({ driver: embedded({ path: `${DATA}/hub.db` }), sources, signals: true })
addBots(hub, outbox(`${DATA}/outbox`))

const app = new Koa()
app.use(webhooks(hub, { prefix: '/webhooks' })) // before any body parser
app.use(bodyParser())
app.use((ctx) => void (ctx.body = 'The rest of your app.'))

void hub.work().then(() => {
  const server = app.listen(Number(PORT), () => {
    console.log(`http://localhost:${(server.address() as AddressInfo).port}/webhooks`)
  })
})

import { embedded } from '@trigger-hub/embedded'
import { createServer, TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'
import { addBots } from '../shared/bots.ts'
import { outbox } from '../shared/outbox.ts'
import { sources } from '../shared/sources.ts'

const { PORT = '3000', DATA = '.trigger-hub' } = process.env

const hub = new TriggerHub({ driver: embedded({ path: `${DATA}/hub.db` }), sources, signals: true })
addBots(hub, outbox(`${DATA}/outbox`))

const app = express()
app.use('/webhooks', webhooks(hub)) // before any body parser
app.use(express.json())
app.get('/', (_req, res) => void res.send('The rest of your app.'))

void hub.work().then(() => {
  const server = createServer(app).listen(Number(PORT), () => {
    const address = server.address()
    if (typeof address === 'object') console.log(`http://localhost:${address?.port}/webhooks`)
  })
})

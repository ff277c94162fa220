import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { github, shopify, standardWebhooks, stripe } from '@trigger-hub/core/sources'
import { runsOf, type Run } from './bots.ts'
import { Journal } from './journal.ts'
import { ledger, type Hearing, type Ledger } from './ledger.ts'
import type { Sent } from './sender.ts'

// in the repository: the temporary folder of many systems is in memory, where nothing is durable
const cache = join(__dirname, '..', '..', '.cache')
mkdirSync(cache, { recursive: true })

/** Everything that this demo writes: the hub's file, the app's log, the sender's, a file for each bot. */
export const folder = mkdtempSync(join(cache, 'demo-'))

const secrets = {
  GITHUB_SECRET: randomBytes(24).toString('hex'),
  SHOPIFY_SECRET: randomBytes(24).toString('hex'),
  STRIPE_SECRET: `whsec_${randomBytes(24).toString('hex')}`,
  ACCOUNTS_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
}

/** What the app is started with. */
export const env = { ...secrets, FOLDER: folder, PORT: '0', SHIPPING: 'broken' }

/** The other side of the same secrets: what the senders sign with. */
export const sources = {
  code: github({ secret: secrets.GITHUB_SECRET }),
  shop: shopify({ secret: secrets.SHOPIFY_SECRET }),
  pay: stripe({ secret: secrets.STRIPE_SECRET }),
  accounts: standardWebhooks({ secret: secrets.ACCOUNTS_SECRET }),
}

export const log = new Journal<Sent>(join(folder, 'sender.jsonl'))
export const runs = (bot: string): Run[] => runsOf(folder, bot).read()

export const hearing: Hearing = {
  archive: () => true,
  search: (source) => source === 'code',
  invoice: (source) => source === 'shop',
  shipping: (source) => source === 'shop',
}

/** The ledger of everything so far. */
export const books = (): Ledger => ledger(log.read(), Object.keys(hearing).flatMap(runs), hearing)

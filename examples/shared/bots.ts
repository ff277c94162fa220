import type { TriggerHub } from '@trigger-hub/core'
import type { Send } from './outbox.ts'
import type { sources } from './sources.ts'

/**
 * Three events, nine bots: each event goes to all three of its row at once, and each bot has its own progress, retries
 * and dead letters. Nothing here knows of a framework.
 *
 * A message carries the id of its event, so that whoever gets it twice after a crash can tell.
 */
export function addBots(hub: TriggerHub<typeof sources>, send: Send): void {
  const signUp = { on: 'accounts:user.created' } as const
  hub.bot('welcome-email', signUp, ({ id, data: { data: user } }) =>
    send('email', { id, to: user.email, subject: `Welcome, ${user.name}` }),
  )
  hub.bot('welcome-sms', signUp, ({ id, data: { data: user } }) =>
    send('sms', { id, to: user.phone, text: `Hello ${user.name}, you are in.` }),
  )
  hub.bot('slack', signUp, ({ id, data: { data: user } }) =>
    send('slack', { id, channel: '#sign-ups', text: `${user.name} has signed up` }),
  )

  const inventory = { on: 'shop:inventory_levels.update' } as const
  hub.bot('stock', inventory, ({ id, data: level }) =>
    send('stock', { id, item: level.inventory_item_id, available: level.available }),
  )
  hub.bot('price', inventory, ({ id, data: level }) =>
    send('price', { id, item: level.inventory_item_id, surcharge: level.available < 10 ? '5 %' : 'none' }),
  )
  hub.bot('analytics', inventory, ({ id, time, data: level }) =>
    send('analytics', { id, at: new Date(time).toISOString(), location: level.location_id }),
  )

  const order = { on: 'shop:orders.create' } as const
  hub.bot('shipping', order, ({ id, data: { name, line_items: items } }) =>
    send('shipping', { id, order: name, pack: items.map(({ title, quantity }) => `${quantity} × ${title}`) }),
  )
  hub.bot('billing', order, ({ id, data: { name, total_price: total, currency } }) =>
    send('billing', { id, order: name, charge: `${total} ${currency}` }),
  )
  hub.bot('support', order, ({ id, data: { name, email } }) =>
    send('support', { id, order: name, open: `a conversation with ${email}` }),
  )
}

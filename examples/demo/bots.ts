import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Handler, WebhookEvent } from '@trigger-hub/core'
import { Journal } from './journal.ts'

/** What a bot writes about its own runs, twice a run: a run that was killed has only its first line. */
export interface Run {
  readonly is: 'began' | 'handled' | 'failed'
  readonly bot: string
  /** The sender's id of the event, and the hub's. */
  readonly key: string
  readonly event: string
  readonly attempt: number
  readonly lastAttempt: boolean
  readonly redelivered: boolean
  readonly error?: string
}

/** The file of a bot. */
export const runsOf = (folder: string, bot: string): Journal<Run> => new Journal(join(folder, `${bot}.jsonl`))

/** What `shipping` believes an order to be. */
export interface Order {
  readonly id: number
  readonly shipping_address: { readonly country: string }
}

/**
 * The handlers, each with a file in `folder` for its runs.
 * @param shippingFixed  whether the bug of `shipping` is fixed
 */
export function bots(folder: string, shippingFixed: boolean) {
  /** Around the work of a bot: its two lines. */
  const recorded =
    <Data>(work: Handler<WebhookEvent<Data>>): Handler<WebhookEvent<Data>> =>
    async (event, run) => {
      const { bot, attempt, lastAttempt, redelivered } = run
      const line = { bot, key: event.key ?? '', event: event.id, attempt, lastAttempt, redelivered }
      const runs = runsOf(folder, bot)
      runs.write({ is: 'began', ...line })
      try {
        await work(event, run)
        runs.write({ is: 'handled', ...line })
      } catch (error) {
        runs.write({ is: 'failed', ...line, error: (error as Error).message })
        throw error
      }
    }

  return {
    /** Always works. */
    archive: recorded(() => undefined),

    /** Works, but takes its time: these are the runs that a kill finds in flight. */
    search: recorded(async () => setTimeout(100)),

    /** Fails twice, because another service is down for a moment. */
    invoice: recorded((_event, { attempt }) => {
      if (attempt <= 2) throw new Error('the accounting service answers 503')
    }),

    /** Fails until it is fixed: who collects an order in the shop has given no address. */
    shipping: recorded<Order>(({ data: order }) => {
      const address = shippingFixed ? (order.shipping_address ?? { country: 'none' }) : order.shipping_address
      return `ship to ${address.country}`
    }),
  }
}

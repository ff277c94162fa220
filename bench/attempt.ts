import { attempt, retryPolicy, systemClock, type AttemptContext, type WebhookEvent } from '@trigger-hub/core'
import { compare, inTurns, lanes } from './beside.ts'

/**
 * What one run of a bot costs, from delivery to verdict, beside a handler by hand that gets the parsed body and a signal
 * which aborts after the timeout.
 */
const events = 50_000
const timeoutMs = 30_000

const rawBody = Buffer.from(JSON.stringify({ id: 'evt_1', note: 'x'.repeat(200) }))
const event = {
  ...{ id: 'e', source: 'shop', type: 'order.paid', rawType: 'order.paid', time: 0, headers: {} },
  ...{ contentType: 'application/json', rawBody },
}
const never = new AbortController().signal
const delivery = { id: 'd', bot: 'crm', event, attempt: 1, history: [], redelivered: false, lost: never }
const around = { clock: systemClock, random: Math.random, closing: never }

const handler = async ({ data }: WebhookEvent<{ id: string }>): Promise<string> => data.id
const asking = async (one: WebhookEvent<{ id: string }>, { signal }: AttemptContext): Promise<string> => {
  signal.throwIfAborted()
  return one.data.id
}
const bot = { name: 'crm', retry: retryPolicy({}), timeoutMs, schema: undefined }

async function byHand(): Promise<string> {
  AbortSignal.timeout(timeoutMs).throwIfAborted()
  return await Promise.resolve((JSON.parse(rawBody.toString()) as { id: string }).id)
}

async function main(): Promise<void> {
  const hand = ['by hand', () => lanes(events, byHand)] as const
  const cost = await inTurns(events, [
    [['an attempt', () => lanes(events, () => attempt({ ...bot, handler }, delivery, around))], hand],
    [
      [
        'its signal looked at',
        () => lanes(events, () => attempt({ ...bot, handler: asking }, delivery, around)),
      ],
      hand,
    ],
  ])
  compare(cost, 'an attempt', 'by hand')
  compare(cost, 'its signal looked at', 'by hand')
}

void main()

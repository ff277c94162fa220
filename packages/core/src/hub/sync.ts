import { randomUUID } from 'node:crypto'
import { within } from '../pure/deadline.ts'
import type { Driver } from '../ports/driver.ts'
import type { Claim, Held, Store, StoredReply } from '../ports/store.ts'
import { attempt, type Handler, type AttemptSurroundings } from '../stages/attempt.ts'
import { acknowledged } from '../stages/enqueue.ts'
import { WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Reply, WebhookState } from '../words/request.ts'
import { askInTime } from './ask-in-time.ts'
import type { Bot } from './bot.ts'
import { acceptOptions, replyTo, take } from './durable.ts'
import type { HubSettings } from './options.ts'

/** Beyond `syncTimeout`, for storing what came of the attempt. */
const leaseSlackMs = 10_000

/** The status that says: it goes on without the sender. */
const inBackground = 202

/** The one bot whose value is the reply, and where replies are kept for repeats. */
export interface SyncParts {
  readonly bot: Bot
  readonly store: Store
}

export interface SyncSurroundings extends SyncParts {
  readonly driver: Driver
  readonly settings: HubSettings
  readonly attempts: AttemptSurroundings
}

/**
 * Runs attempt 1 in the request. Success: the handler's value as JSON, stored and given again to repeats. Failure or
 * timeout: the event goes to the driver with that attempt on record, the sender gets 202, retries run in the background.
 * When the process dies in between, no 2xx was sent and the key frees itself, so the sender's retry runs it again.
 */
export async function acceptInRequest(
  event: WebhookEvent,
  state: WebhookState,
  around: SyncSurroundings,
): Promise<Reply> {
  const { driver, store, settings } = around
  const options = acceptOptions(event, state, settings)
  const claim: Claim =
    options.key === undefined
      ? { is: 'claimed', key: '', token: '' }
      : await claimInTime(store, options.key, options.fingerprint, settings)
  if (claim.is === 'completed') {
    // the driver has it, perhaps as a dead letter, which the repeat redrives
    if (claim.reply.status === inBackground) {
      await replyTo(await take(driver, event, options, settings), driver, event, state, settings)
    }
    return repeated(claim.reply)
  }
  if (claim.is === 'mismatch') {
    const taken = await take(driver, event, { ...options, quarantine: true }, settings)
    return replyTo(taken, driver, event, state, settings)
  }
  if (claim.is === 'in-flight') {
    throw new WebhookError('ERR_EVENT_IN_FLIGHT', 'The first request for this event has not finished.')
  }
  try {
    const reply = await run(event, around, options)
    const { body, ...rest } = reply
    await keep(store, claim, { ...rest, body: Buffer.from(body ?? '') }, settings)
    return reply
  } catch (error) {
    if (claim.key !== '') await store.release(claim).catch(() => undefined) // its lease frees it anyway
    throw error
  }
}

function claimInTime(store: Store, key: string, print: string, settings: HubSettings): Promise<Claim> {
  const leaseMs = settings.syncTimeoutMs + leaseSlackMs
  return askInTime(settings.acceptTimeoutMs, settings.clock, (timeoutMs) =>
    store.claim(key, print, { leaseMs, timeoutMs }),
  )
}

/**
 * The attempt counts even if its reply cannot be remembered, or not in time: a repeat may then run again, as after a crash.
 */
async function keep(store: Store, held: Held, reply: StoredReply, settings: HubSettings): Promise<void> {
  if (held.key === '') return
  const { acceptTimeoutMs, keepKeysMs, clock } = settings
  const completed = store.complete(held, reply, keepKeysMs)
  const kept = await within(completed, acceptTimeoutMs, undefined, clock).catch(() => false)
  if (kept) return
  settings.log({
    level: 'warn',
    code: 'WARN_REPLY_NOT_KEPT',
    message:
      'The reply of a bot that ran in the request could not be stored in time; a repeat may run it again.',
  })
}

async function run(
  event: WebhookEvent,
  { bot, driver, settings, attempts }: SyncSurroundings,
  options: ReturnType<typeof acceptOptions>,
): Promise<Reply> {
  const timeoutMs = Math.min(bot.timeoutMs, settings.syncTimeoutMs)
  const lost = new AbortController().signal // the request is its own lease
  const delivery = {
    id: randomUUID(),
    bot: bot.name,
    event,
    attempt: 1,
    history: [],
    redelivered: false,
    lost,
  }
  // within the attempt, so that a value which JSON cannot hold is a failure of the bot like any other
  const handler: Handler = async (...given) => JSON.stringify((await bot.handler(...given)) ?? null)
  const { verdict, value } = await attempt({ ...bot, handler, timeoutMs }, delivery, attempts)
  switch (verdict.is) {
    case 'done':
      return {
        status: 200,
        headers: { 'trigger-hub-event': event.id, 'content-type': 'application/json' },
        body: value as string,
      }
    case 'release':
      throw new WebhookError('ERR_CLOSING', 'The hub is closing.')
    case 'retry':
    case 'dead-letter': {
      const attempts = verdict.failed ? [verdict.failed] : []
      const afterMs = verdict.is === 'retry' ? verdict.afterMs : 0
      await take(driver, event, { ...options, resume: { bot: bot.name, attempts, afterMs } }, settings)
      return acknowledged(event.id, {}, inBackground)
    }
  }
}

function repeated({ status, headers, body }: StoredReply): Reply {
  return { status, headers: { ...headers, 'trigger-hub-duplicate': '?1' }, ...(body ? { body } : {}) }
}

import { deadlineIn } from '../pure/deadline.ts'
import { fingerprint, keyName } from '../pure/digest.ts'
import type { AcceptOptions, Accepted, Driver } from '../ports/driver.ts'
import { acknowledged } from '../stages/enqueue.ts'
import { steps, tell } from '../words/channels.ts'
import { DriverUnavailableError, WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Reply, WebhookState } from '../words/request.ts'
import { askInTime } from './ask-in-time.ts'
import type { HubSettings } from './options.ts'

/** An accept that did not end in `busy`. */
export type Taken = Exclude<Accepted, { is: 'busy' }>

/**
 * How a driver is asked to accept an event. A signed key tells a repeat by itself, so that another body under it is
 * noticed; an unsigned one counts together with the bytes, which are then remembered to notice a replay.
 */
export function acceptOptions(
  event: WebhookEvent,
  state: WebhookState,
  settings: HubSettings,
): AcceptOptions {
  const { source, key, id } = event
  const print = fingerprint(event.rawBody)
  const identity =
    key === undefined
      ? {}
      : state.keySigned
        ? { key: keyName(source, key) }
        : { key: keyName(source, key, print), replayKey: keyName(source, 'bytes', print) }
  return {
    fingerprint: print,
    onReplay: settings.onReplay,
    ttlMs: settings.keepKeysMs,
    token: id,
    timeoutMs: settings.acceptTimeoutMs,
    ...identity,
  }
}

/**
 * Stores the event; waits a little while somebody else is at the same one. All of it takes no longer than one accept may.
 * @throws WebhookError `ERR_EVENT_IN_FLIGHT` when they do not finish in time, and what the driver throws
 */
export async function take(
  driver: Driver,
  event: WebhookEvent,
  options: AcceptOptions,
  { clock }: HubSettings,
): Promise<Taken> {
  const accepted = await askInTime(options.timeoutMs, clock, (timeoutMs) =>
    driver.accept(event, { ...options, timeoutMs }),
  )
  if (accepted.is !== 'busy') return accepted
  const { retryAfterMs } = accepted
  throw new WebhookError('ERR_EVENT_IN_FLIGHT', 'The first request for this event has not finished.', {
    retryAfterMs,
  })
}

/** Answers once the event is durable. */
export async function acceptDurably(
  driver: Driver,
  event: WebhookEvent,
  state: WebhookState,
  settings: HubSettings,
): Promise<Reply> {
  const taken = await take(driver, event, acceptOptions(event, state, settings), settings)
  return await replyTo(taken, driver, event, state, settings)
}

/** What is not redriven in time is when the sender comes again. */
function redriveInTime(
  driver: Driver,
  event: string,
  { clock, acceptTimeoutMs }: HubSettings,
): Promise<number> {
  const late = (): Error => new DriverUnavailableError(driver.name, 'it did not redrive in time.')
  return deadlineIn(acceptTimeoutMs, clock, late)(driver.deadLetters.redrive({ event }))
}

/**
 * The reply to what the driver said. A repeat of an event with dead letters redrives them before it is answered.
 * @throws WebhookError `ERR_KEY_REUSED` and `ERR_REPLAYED` if the hub was told to refuse those
 */
export async function replyTo(
  taken: Taken,
  driver: Driver,
  { source, type, marks = [] }: WebhookEvent,
  state: WebhookState,
  settings: HubSettings,
): Promise<Reply> {
  const ack = (id: string): Reply => acknowledged(id, state, settings.ackStatus)
  switch (taken.is) {
    case 'accepted': {
      tell(steps.accepted, () => ({
        source,
        type,
        event: taken.id,
        marks: taken.replaySuspected ? [...marks, 'replay-suspected'] : marks,
      }))
      return ack(taken.id)
    }
    case 'duplicate': {
      const redrives = taken.deadLetters > 0 && settings.onRepeat === 'redrive'
      const redriven = redrives ? await redriveInTime(driver, taken.id, settings) : 0
      tell(steps.duplicate, () => ({ source, type, event: taken.id, redriven }))
      const reply = ack(taken.id)
      return { ...reply, headers: { ...reply.headers, 'trigger-hub-duplicate': '?1' } }
    }
    case 'mismatch': {
      tell(steps.quarantined, () => ({ source, type, event: taken.id }))
      settings.log({
        level: 'warn',
        code: 'WARN_KEY_REUSED',
        message: `Source "${source}" sent a known key with another body; event ${taken.id} is in quarantine.`,
      })
      if (settings.onKeyReuse === 'ack') return ack(taken.id)
      throw new WebhookError('ERR_KEY_REUSED', 'This key came with another body before.')
    }
    case 'replay':
      throw new WebhookError(
        'ERR_REPLAYED',
        `Source "${source}": the same bytes came before under another id.`,
      )
  }
}

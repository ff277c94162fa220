import { channel, type Channel } from 'node:diagnostics_channel'

/**
 * Every step is published on a channel of `node:diagnostics_channel`, `trigger-hub:<step>`; a step that nobody listens
 * to costs a look at a boolean. Messages hold names, ids, counts and times, never a payload, a header or a secret.
 */
export const steps = {
  /** `{ source, code, status }`: a request was refused. */
  rejected: channel('trigger-hub:rejected'),
  /** `{ source, type, event, marks }`: an event is durable. */
  accepted: channel('trigger-hub:accepted'),
  /** `{ source, type, event, redriven }`: a repeat of an event that is durable. */
  duplicate: channel('trigger-hub:duplicate'),
  /** `{ source, type, event }`: a known key came with another body. */
  quarantined: channel('trigger-hub:quarantined'),
  /** `{ source, type, event, error }`: with `ack: 'immediate'`, an answered event could not be stored. */
  lost: channel('trigger-hub:lost'),
  /** `{ bot, event, attempt, redelivered }` */
  attemptStarted: channel('trigger-hub:attempt-started'),
  /** `{ bot, event, attempt, verdict, ms, error? }`; `verdict` is done, retry, dead-letter or release. */
  attemptEnded: channel('trigger-hub:attempt-ended'),
  /** `{ bot, event, attempt, outcome, verdict }`; `outcome` is settled, fenced or unknown. */
  settled: channel('trigger-hub:settled'),
  /** `{ key, outcome }` of the idempotency guard: claimed, completed, in-flight, mismatch or unguarded. */
  guarded: channel('trigger-hub:guarded'),
} satisfies Record<string, Channel>

/** Publishes if somebody listens; the message is made only then. */
export function tell(step: Channel, message: () => object): void {
  if (step.hasSubscribers) step.publish(message())
}

import { deadlineIn, type Within } from '../pure/deadline.ts'
import { keyName } from '../pure/digest.ts'
import { suspected } from '../pure/marked.ts'
import type { AcceptOptions, Accepted, Driver } from '../ports/driver.ts'
import type { CompanionStore, Held, StoredReply } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import { DriverUnavailableError } from '../words/errors.ts'
import type { EventRecord } from '../words/event.ts'
import type { Inbox } from './inbox.ts'

/** What became of handing an event to a broker: it is durable there, or surely not there, nor any part of it. */
export type Published = { readonly is: 'published' } | { readonly is: 'refused'; readonly reason: string }

/** Hands an event to a broker and waits for its confirm. A rejection means that it is not known what became of it. */
export type PublishEvent = (event: EventRecord) => Promise<Published>

export interface SplitAcceptOptions {
  /** Of the driver, for errors. */
  readonly name: string
  readonly clock: Clock
  /** Keeps attempts that were made in the request. */
  readonly inbox: Inbox
}

/** What is beyond the time for an accept: a claim outlives its publish. */
const leaseSlackMs = 1_000

/**
 * Accepts over a store and a broker that share no transaction: claims the key, publishes, and answers once the broker has
 * confirmed. Then the key is completed.
 *
 * When the outcome is unknown (no confirm in time, connection lost) the claim stays, the answer is 503, and a late confirm
 * completes it. Whoever claims the key after the lease publishes once more under the id of the first, which the claim
 * remembers, so that the inbox of the workers recognises the copy. A refusal frees the key at once. A confirmed publish is
 * accepted even if its key cannot be completed.
 */
export function splitAccept(
  store: CompanionStore,
  publish: PublishEvent,
  { name, clock, inbox }: SplitAcceptOptions,
): Driver['accept'] {
  async function quarantine(
    event: EventRecord,
    { key = event.id, fingerprint }: AcceptOptions,
  ): Promise<Accepted> {
    const letter = { bot: null, reason: 'key-reused', at: clock.now(), event, attempts: [] } as const
    await store.bury(letter, keyName('quarantine', key, fingerprint))
    return { is: 'mismatch', id: event.id }
  }

  /** The key is known and finished: by this very call, or by an earlier one. */
  async function again({ headers }: StoredReply, token: string): Promise<Accepted> {
    const { event, token: first, suspected: isSuspected } = headers as Record<string, string>
    const id = event ?? ''
    if (first === token) return { is: 'accepted', id, ...(isSuspected ? { replaySuspected: true } : {}) }
    const letters = await store.deadLetters.list({ event: id, limit: 1_000 })
    return { is: 'duplicate', id, deadLetters: letters.length }
  }

  /** Who came first with these bytes: nobody (then it is us, and the claim is to be completed), this key, or another. */
  async function replayOf(
    key: string,
    { replayKey, timeoutMs }: AcceptOptions,
  ): Promise<{ isSuspected: boolean; held: Held[] }> {
    if (replayKey === undefined) return { isSuspected: false, held: [] }
    const claim = await store.claim(keyName('replay', replayKey), key, {
      leaseMs: timeoutMs + leaseSlackMs,
      timeoutMs,
    })
    return { isSuspected: claim.is === 'mismatch', held: claim.is === 'claimed' ? [claim] : [] }
  }

  /** Publishes, and tells the claims what came of it, however late it is known. */
  async function handOver(
    event: EventRecord,
    { resume, ttlMs, token }: AcceptOptions,
    held: readonly Held[],
    within: Within,
  ): Promise<void> {
    if (resume) await within(inbox.resume(event.id, resume))
    const isSuspected = event.marks?.includes('replay-suspected')
    const headers = { event: event.id, token, ...(isSuspected ? { suspected: '1' } : {}) }
    const published = publish(event)
    const concluded = published
      .then(({ is }) =>
        Promise.allSettled(
          held.map((one) =>
            is === 'published' ? store.complete(one, { status: 200, headers }, ttlMs) : store.release(one),
          ),
        ),
      )
      .catch(() => undefined) // unknown: the claims stay
    const outcome = await within(published).catch((cause: unknown) => {
      throw new DriverUnavailableError(name, 'the event was not confirmed.', { cause })
    })
    await within(concluded).catch(() => undefined) // what the broker has confirmed is accepted
    if (outcome.is === 'refused') throw new DriverUnavailableError(name, outcome.reason)
  }

  return async (event, options) => {
    const { key, fingerprint, timeoutMs, ttlMs, onReplay = 'mark', token } = options
    const late = (): Error => new DriverUnavailableError(name, 'there was no answer in time.')
    const within = deadlineIn(timeoutMs, clock, late)
    if (options.quarantine) return within(quarantine(event, options))
    if (key === undefined) {
      await handOver(event, options, [], within)
      return { is: 'accepted', id: event.id }
    }
    const claim = await store.claim(keyName('accept', key), fingerprint, {
      leaseMs: timeoutMs + leaseSlackMs,
      timeoutMs,
      trace: { note: event.id, keepMs: ttlMs },
    })
    if (claim.is === 'completed') return within(again(claim.reply, token))
    if (claim.is === 'mismatch') return within(quarantine(event, options))
    if (claim.is === 'in-flight') return { is: 'busy', retryAfterMs: claim.retryAfterMs }

    const [id = event.id] = claim.before ?? []
    const { isSuspected, held } = await within(replayOf(key, options))
    if (isSuspected && onReplay === 'reject') {
      await within(store.release(claim))
      return { is: 'replay' }
    }
    const record = id === event.id ? event : { ...event, id }
    await handOver(isSuspected ? suspected(record) : record, options, [claim, ...held], within)
    return { is: 'accepted', id, ...(isSuspected ? { replaySuspected: true } : {}) }
  }
}

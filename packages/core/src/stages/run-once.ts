import { within } from '../pure/deadline.ts'
import { keepLease } from '../pure/keep-lease.ts'
import type { Held, Store, StoredReply } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import type { Log } from '../words/log.ts'
import type { Reply } from '../words/request.ts'

export interface RunOnceOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: number
  readonly ttlMs: number
  readonly storeTimeoutMs: number
  /** What is kept of a reply; undefined frees the key. */
  readonly keeps: (reply: Reply) => StoredReply | undefined
}

/**
 * Runs a route that holds a key, renews its lease meanwhile, and stores the reply before it goes out. A throw frees the
 * key. A store that is away holds no reply up: it is sent, and stored when the store is back within the lease.
 */
export function runOnce({ store, clock, log, leaseMs, ttlMs, storeTimeoutMs, keeps }: RunOnceOptions) {
  return async (held: Held, run: () => Promise<Reply>): Promise<Reply> => {
    const lease = keepLease({ leaseMs, clock, renew: () => store.renew(held, leaseMs) })
    let reply: Reply
    try {
      reply = await run()
    } catch (error) {
      await inTime(store.release(held)).catch(() => false) // the lease frees it anyway; keep the first error
      throw error
    } finally {
      lease.stop()
    }
    const kept = keeps(reply)
    await settle(() => (kept ? store.complete(held, kept, ttlMs) : store.release(held)))
    return reply
  }

  async function settle(order: () => Promise<boolean>): Promise<void> {
    const ordered = order()
    try {
      if (!(await inTime(ordered))) notKept('its lease had run out')
    } catch {
      notKept('the store is out of reach')
      void untilDone(ordered, order)
    }
  }

  /** Later than the lease a repeat may run the route again, and the store refuses our token. */
  async function untilDone(ordered: Promise<boolean>, order: () => Promise<boolean>): Promise<void> {
    const until = clock.monotonicMs() + leaseMs
    for (let last = ordered; ; last = order()) {
      const isDone = await last.then(
        () => true,
        () => false,
      )
      if (isDone || clock.monotonicMs() >= until) return
      await new Promise<void>((resume) => clock.after(leaseMs / 20, resume))
    }
  }

  /** The route has run, and its caller shall know; a repeat may run it again once the lease is over. */
  function notKept(why: string): void {
    log({
      level: 'warn',
      code: 'WARN_REPLY_NOT_KEPT',
      message: `A reply was sent but not stored for repeats: ${why}.`,
    })
  }

  function inTime(promise: Promise<boolean>): Promise<boolean> {
    return within(promise, storeTimeoutMs, undefined, clock)
  }
}

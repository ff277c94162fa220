import { errorRecord } from '../stages/attempt.ts'
import { acknowledged } from '../stages/enqueue.ts'
import { steps, tell } from '../words/channels.ts'
import { WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Reply, WebhookState } from '../words/request.ts'
import type { HubSettings } from './options.ts'

/** Most answered events that wait to be stored; above it, `ack: 'immediate'` waits like `'durable'`. */
const bufferedEvents = 1_000
const firstWaitMs = 250
const longestWaitMs = 10_000

/**
 * Answers first and stores behind a bounded buffer. What is in the buffer is lost when the process dies: that window is
 * the price of the mode. While the driver is out of reach it tries again, 250 ms to 10 s apart, until `flush` gives up.
 */
export class ImmediateAck {
  readonly #waiting = new Set<Promise<void>>()
  readonly #settings: HubSettings
  readonly #store: (event: WebhookEvent, state: WebhookState) => Promise<Reply>
  #givenUp = false
  readonly #wake = new Set<() => void>()

  /** @param store  the durable accept */
  constructor(settings: HubSettings, store: (event: WebhookEvent, state: WebhookState) => Promise<Reply>) {
    this.#settings = settings
    this.#store = store
  }

  async accept(event: WebhookEvent, state: WebhookState): Promise<Reply> {
    if (this.#waiting.size >= bufferedEvents) return this.#store(event, state)
    const stored = this.#storeUntilItHolds(event, state).finally(() => this.#waiting.delete(stored))
    this.#waiting.add(stored)
    return acknowledged(event.id, state, this.#settings.ackStatus)
  }

  /** Waits until the buffer is empty, at most `deadlineMs`; what is left then is reported as lost. */
  async flush(deadlineMs: number): Promise<void> {
    const cancel = this.#settings.clock.after(deadlineMs, () => {
      this.#givenUp = true
      for (const wake of this.#wake) wake()
    })
    await Promise.all(this.#waiting)
    cancel()
  }

  async #storeUntilItHolds(event: WebhookEvent, state: WebhookState): Promise<void> {
    const { log } = this.#settings
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        await this.#store(event, state)
        return
      } catch (error) {
        const { id, source, type } = event
        if (WebhookError.is(error) && !error.retryable) {
          const { code, status } = error // refused as an option of the hub asks, and so it would be every time
          tell(steps.rejected, () => ({ source, code, status }))
          return
        }
        if (!this.#givenUp) {
          await this.#waited(waitMs)
          continue
        }
        tell(steps.lost, () => ({ source, type, event: id, error: errorRecord(error) }))
        log({
          level: 'error',
          code: 'ERR_EVENT_LOST',
          message: `Event ${id} of source "${source}" was answered and could not be stored: ${errorRecord(error).message}`,
        })
        return
      }
    }
  }
  /** Waits, or less if the buffer is to be emptied now. */
  async #waited(ms: number): Promise<void> {
    let wake = (): void => undefined
    const woken = new Promise<void>((resolve) => this.#wake.add((wake = resolve)))
    const cancel = this.#settings.clock.after(ms, wake)
    await woken
    cancel()
    this.#wake.delete(wake)
  }
}

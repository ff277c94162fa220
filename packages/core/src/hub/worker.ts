import type { Driver, Subscription } from '../ports/driver.ts'
import { attempt, type AttemptSurroundings } from '../stages/attempt.ts'
import { steps, tell } from '../words/channels.ts'
import { WebhookError } from '../words/errors.ts'
import type { Log } from '../words/log.ts'
import type { Bot } from './bot.ts'

export interface WorkerSurroundings extends AttemptSurroundings {
  readonly log: Log
}

/** An attempt that is cut off at the deadline still has its verdict to write. */
const settleMs = 2_000

/** Runs the bots of one process on what the driver delivers. */
export class Worker {
  readonly #subscriptions: Subscription[] = []

  /** Resolves once every bot consumes. */
  static async start(driver: Driver, bots: Iterable<Bot>, around: WorkerSurroundings): Promise<Worker> {
    const { log } = around
    const worker = new Worker()
    try {
      for (const bot of bots) {
        const subscription = await driver.consume(
          bot.name,
          {
            concurrency: bot.concurrency,
            onSettled({ event, attempt }, outcome, verdict) {
              tell(steps.settled, () => ({
                bot: bot.name,
                event: event.id,
                attempt,
                outcome,
                verdict: verdict.is,
              }))
              if (outcome === 'settled') return
              log({
                level: 'warn',
                code: outcome === 'fenced' ? 'WARN_VERDICT_REFUSED' : 'WARN_VERDICT_UNKNOWN',
                message:
                  outcome === 'fenced'
                    ? `Bot "${bot.name}" finished event ${event.id} after its lease had run out; another run may follow.`
                    : `It is not known whether the end of event ${event.id} for bot "${bot.name}" was recorded; another run may follow.`,
              })
            },
            onError(error) {
              const code = WebhookError.is(error) ? error.code : 'ERR_DRIVER_UNAVAILABLE'
              log({
                level: 'error',
                code,
                message: `Bot "${bot.name}" cannot fetch events: ${String(error)}`,
              })
            },
          },
          async (delivery) => (await attempt(bot, delivery, around)).verdict,
        )
        worker.#subscriptions.push(subscription)
      }
    } catch (error) {
      await worker.stop(0) // all or none: it may be tried again
      throw error
    }
    return worker
  }

  /** Fetches no more and waits for running attempts, which the `closing` signal ends at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain(deadlineMs + settleMs)))
  }
}

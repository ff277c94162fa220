import type { Driver, Subscription } from '../ports/driver.ts'
import { attempt, type AttemptSurroundings } from '../stages/attempt.ts'
import { steps, tell } from '../words/channels.ts'
import type { Delivery, Verdict } from '../words/delivery.ts'
import { WebhookError } from '../words/errors.ts'
import type { Log, LogRecord } from '../words/log.ts'
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
            onSettled(delivery, outcome, verdict) {
              const { event, attempt } = delivery
              tell(steps.settled, () => ({
                bot: bot.name,
                event: event.id,
                attempt,
                outcome,
                verdict: verdict.is,
              }))
              if (outcome === 'settled') {
                if (verdict.is === 'dead-letter') log(givenUp(delivery, verdict))
                return
              }
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

/** A dead letter waits for a person, so that one is told. */
function givenUp(
  { bot, event, history }: Delivery,
  { reason, failed = history.at(-1) }: Extract<Verdict, { is: 'dead-letter' }>,
): LogRecord {
  const { name, message } = failed?.error ?? { name: 'Error', message: 'the process died.' }
  return {
    level: 'warn',
    code: 'WARN_DEAD_LETTER',
    message:
      `Bot "${bot}" has given up on event ${event.id} (${event.source}:${event.type}); when its cause is mended: ` +
      `hub.deadLetters.redrive({ bot: '${bot}' }). Cause: ${name}: ${message}`,
    bot,
    event: event.id,
    reason,
  }
}

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { backoff, type RetryPolicy } from '../pure/backoff.ts'
import { onAbort } from '../pure/on-abort.ts'
import { withData } from '../pure/payload.ts'
import { steps, tell } from '../words/channels.ts'
import type { Clock } from '../words/clock.ts'
import type { AttemptRecord, Delivery, ErrorRecord, Verdict } from '../words/delivery.ts'
import { PermanentError, RetryAfterError } from '../words/errors.ts'
import type { EventRecord, WebhookEvent } from '../words/event.ts'
import { Stop } from './stop.ts'

/** What a bot is told beside the event. */
export interface AttemptContext {
  readonly bot: string
  /** From 1. */
  readonly attempt: number
  /** True on the last attempt before the dead letters. */
  readonly lastAttempt: boolean
  /** An earlier run was cut off (crash, lost lease, shutdown): its effects may be there already. */
  readonly redelivered: boolean
  /** Earlier attempts, oldest first. */
  readonly history: readonly AttemptRecord[]
  /** Aborts at the timeout, when the lease is lost, and at the deadline of a shutdown. Hand it to `fetch`. */
  readonly signal: AbortSignal
}

/** What a bot does with an event. It succeeds by returning and fails by throwing. */
// a handler of any event type fits here; `hub.bot` has typed it
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Handler<Event extends WebhookEvent<any> = WebhookEvent<any>> = (
  event: Event,
  context: AttemptContext,
) => unknown

/** What an attempt needs to know of a bot. */
export interface Runnable {
  readonly name: string
  readonly handler: Handler
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly schema: StandardSchemaV1 | undefined
}

export interface AttemptSurroundings {
  readonly clock: Clock
  /** From 0 to below 1, for jitter. */
  readonly random: () => number
  /** Aborts when running attempts must end now: their deliveries are given back. */
  readonly closing: AbortSignal
  /** For events of senders that wrap their payload. Default: what is in the body. */
  readonly payloadOf?: (event: EventRecord) => unknown
}

/** What came of an attempt; `value` is what the handler returned if it succeeded. */
export interface Attempted {
  readonly verdict: Verdict
  readonly value?: unknown
}

/**
 * Runs a bot once for a delivery and decides what becomes of it. Never rejects.
 *
 * The handler races its timeout, a lost lease and a shutdown; a handler that ignores its signal is left behind and what
 * it returns later counts no more.
 */
export async function attempt(
  bot: Runnable,
  delivery: Delivery,
  around: AttemptSurroundings,
): Promise<Attempted> {
  const settledBefore = verdictBefore(bot, delivery)
  if (settledBefore) return { verdict: settledBefore }
  const { clock, closing } = around
  const startedAt = clock.now()
  const of = { bot: bot.name, event: delivery.event.id, attempt: delivery.attempt }
  tell(steps.attemptStarted, () => ({ ...of, redelivered: delivery.redelivered }))

  const stop = new Stop()
  const cancelTimeout = clock.after(bot.timeoutMs, () => stop.ask(new TimedOut(bot.timeoutMs)))
  const cutOff = (): void => stop.ask(new CutOff())
  const forgetClosing = onAbort(closing, cutOff)
  const forgetLost = onAbort(delivery.lost, cutOff)
  if (closing.aborted || delivery.lost.aborted) cutOff()

  let attempted: Attempted
  try {
    attempted = {
      verdict: { is: 'done' },
      value: await raced(stop, () => run(bot, delivery, stop, around)),
    }
  } catch (error) {
    attempted = { verdict: judge(readable(error), bot, delivery, startedAt, around) }
  } finally {
    cancelTimeout()
    forgetClosing()
    forgetLost()
  }
  const { verdict } = attempted
  tell(steps.attemptEnded, () => ({
    ...of,
    verdict: verdict.is,
    ms: clock.now() - startedAt,
    ...('failed' in verdict ? { error: verdict.failed?.error } : {}),
  }))
  return attempted
}

/** Decided without a run: the crashes used up the attempts, or an attempt in the request said "never again". */
function verdictBefore(bot: Runnable, { attempt, history }: Delivery): Verdict | undefined {
  if (history.at(-1)?.outcome === 'permanent') return { is: 'dead-letter', reason: 'permanent' }
  if (attempt > bot.retry.retries + 1) return { is: 'dead-letter', reason: 'exhausted' }
  return undefined
}

class TimedOut extends Error {
  override readonly name = 'TimeoutError'
  constructor(ms: number) {
    super(`The handler did not finish within ${ms} ms.`)
  }
}
class CutOff extends Error {}
class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

async function raced<T>(stop: Stop, run: () => Promise<T>): Promise<T> {
  if (stop.isAsked) return stop.asked
  const running = run()
  running.catch(() => undefined) // left behind when the stop won
  return Promise.race([running, stop.asked])
}

async function run(
  bot: Runnable,
  delivery: Delivery,
  stop: Stop,
  { payloadOf }: AttemptSurroundings,
): Promise<unknown> {
  let event = withData(delivery.event, payloadOf && (() => payloadOf(delivery.event)))
  if (bot.schema) {
    const result = await bot.schema['~standard'].validate(event.data)
    if (result.issues)
      throw new SchemaError(`The payload does not fit the schema at: ${paths(result.issues)}.`)
    event = withData(delivery.event, () => result.value)
  }
  return bot.handler(event, new Context(bot, delivery, stop) as unknown as AttemptContext)
}

/** As with the payload of an event: all have one getter, of one shape, and it is their own, so that a copy has it too. */
class Context {
  static readonly #signal = {
    enumerable: true,
    get(this: Context): AbortSignal {
      return this.#stop.signal
    },
  }
  readonly #stop: Stop

  constructor({ name, retry }: Runnable, { attempt, redelivered, history }: Delivery, stop: Stop) {
    this.#stop = stop
    const lastAttempt = attempt > retry.retries
    Object.assign(this, { bot: name, attempt, lastAttempt, redelivered, history })
    Object.defineProperty(this, 'signal', Context.#signal)
  }
}

/** Where it does not fit, not what is there: an issue's message may repeat a value. */
function paths(issues: readonly StandardSchemaV1.Issue[]): string {
  const path = ({ path = [] }: StandardSchemaV1.Issue): string =>
    path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.') || '(root)'
  return [...new Set(issues.slice(0, 20).map(path))].join(', ')
}

function judge(
  error: unknown,
  bot: Runnable,
  delivery: Delivery,
  startedAt: number,
  { clock, random }: AttemptSurroundings,
): Verdict {
  if (error instanceof CutOff) return { is: 'release', interrupted: true }
  const permanent = PermanentError.is(error) || error instanceof SchemaError
  const failed: AttemptRecord = {
    attempt: delivery.attempt,
    startedAt,
    endedAt: clock.now(),
    outcome: permanent ? 'permanent' : error instanceof TimedOut ? 'timeout' : 'failed',
    error: errorRecord(error),
  }
  if (permanent) {
    return { is: 'dead-letter', reason: error instanceof SchemaError ? 'schema' : 'permanent', failed }
  }
  const next = delivery.attempt + 1
  if (next > bot.retry.retries + 1) return { is: 'dead-letter', reason: 'exhausted', failed }
  const asked =
    RetryAfterError.is(error) && Number.isFinite(error.retryAfterMs) ? error.retryAfterMs : undefined
  const afterMs =
    asked === undefined
      ? backoff(next, bot.retry, random)
      : Math.min(Math.max(Math.round(asked), 0), bot.retry.maxMs)
  return { is: 'retry', afterMs, failed }
}

/** What was thrown, unless looking at it throws as well: a revoked proxy, a getter that fails. */
function readable(error: unknown): unknown {
  try {
    PermanentError.is(error)
    RetryAfterError.is(error)
    errorRecord(error)
    return error
  } catch {
    return new Error('The handler threw something that cannot be looked at.')
  }
}

const longestMessage = 1_000

/** What is kept of an error: name, message and code; no stack, no cause, no other field. */
export function errorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof Error) && !isErrorLike(error))
    return { name: 'Error', message: cut(describe(error)) }
  const { name, message, code } = error as { name: unknown; message: unknown; code?: unknown }
  return {
    name: cut(describe(name)),
    message: cut(describe(message)),
    ...(typeof code === 'string' ? { code: cut(code) } : {}),
  }
}

const isErrorLike = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'message' in value
const cut = (text: string): string =>
  text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text
const describe = (value: unknown): string => (typeof value === 'string' ? value : `thrown ${typeof value}`)

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { retryPolicy, type RetryOptions } from '../pure/backoff.ts'
import { pattern, type Pattern } from '../pure/pattern.ts'
import type { Handler, Runnable } from '../stages/attempt.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { SetupError } from '../words/errors.ts'
import { knownOptions, wholeNumber } from '../words/options.ts'

export interface BotOptions<On extends string = string, Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /** What it hears: `'source:type'`, where `*` is one segment and `**` any number; or several of them. */
  on: On | readonly On[]
  /** Default: three more attempts after 1 s, 2 s and 4 s. */
  retry?: RetryOptions
  /** Longest run of the handler; then its signal aborts and the attempt has failed. Default `'30s'`. */
  timeout?: Duration
  /** Most runs at a time in one process, up to 65,535. Default 10. */
  concurrency?: number
  /** Any Standard Schema: checks and types `event.data`. A payload that does not fit is dead-lettered. */
  schema?: Schema
}

/** A checked bot. */
export interface Bot extends Runnable {
  readonly on: readonly Pattern[]
  readonly concurrency: number
}

const names = /^[A-Za-z0-9][\w.-]{0,99}$/
/** What the prefetch of an AMQP channel can be. */
const mostAtOnce = 65_535

/**
 * Checks what a person wrote about a bot.
 * @throws SetupError `ERR_BOT_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`
 */
export function bot(name: string, options: BotOptions, handler: Handler): Bot {
  botName(name)
  knownOptions(`Bot "${name}"`, options, ['on', 'retry', 'timeout', 'concurrency', 'schema'])
  if (typeof handler !== 'function') {
    throw new SetupError(
      'ERR_BOT_INVALID',
      `Bot "${name}" has no handler: give a function after its options.`,
    )
  }
  const on = [options.on ?? []].flat() // JavaScript may give none
  if (on.length === 0)
    throw new SetupError('ERR_BOT_INVALID', `Bot "${name}" hears nothing: give "on" a pattern.`)
  const { timeout = '30s', concurrency = 10, schema } = options
  if (schema !== undefined && !isSchema(schema)) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `Bot "${name}": "schema" is no Standard Schema, such as those of Zod, Valibot and ArkType.`,
    )
  }
  const patterns = on.map((text) => patternOf(name, text))
  return {
    name,
    on: patterns,
    handler,
    retry: retryPolicy(options.retry),
    timeoutMs: milliseconds(timeout, `${name}.timeout`, ['1ms']),
    concurrency: wholeNumber(`${name}.concurrency`, concurrency, [1, mostAtOnce]),
    schema,
  }
}

/**
 * A name that a bot can have.
 * @throws SetupError `ERR_BOT_INVALID`
 */
export function botName(name: unknown): string {
  if (typeof name === 'string' && names.test(name)) return name
  throw new SetupError(
    'ERR_BOT_INVALID',
    `"${String(name)}" is not a name for a bot: use up to 100 letters, digits, "_", "-" and ".".`,
  )
}

/** JavaScript may give anything. */
const isSchema = (schema: unknown): boolean =>
  typeof (schema as StandardSchemaV1 | null)?.['~standard']?.validate === 'function'

/** A pattern with the sender's own spelling of a type, such as `orders/create`, would never fit. */
function patternOf(name: string, text: string): Pattern {
  const right = String(text).replace(/(?<=:.*)[/:]/g, '.')
  if (right !== String(text)) {
    throw new SetupError(
      'ERR_BOT_INVALID',
      `Bot "${name}" hears "${text}", but types are dotted: write "${right}".`,
    )
  }
  try {
    return pattern(text)
  } catch (cause) {
    throw new SetupError('ERR_BOT_INVALID', `Bot "${name}": ${(cause as Error).message}`, { cause })
  }
}

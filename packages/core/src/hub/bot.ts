import type { StandardSchemaV1 } from '@standard-schema/spec'
import { retryPolicy, type RetryOptions } from '../pure/backoff.ts'
import { pattern, type Pattern } from '../pure/pattern.ts'
import type { Handler, Runnable } from '../stages/attempt.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'

export interface BotOptions<On extends string = string, Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /** What it hears: `'source:type'`, where `*` is one segment and `**` any number; or several of them. */
  on: On | readonly On[]
  /** Default: three more attempts after 1 s, 2 s and 4 s. */
  retry?: RetryOptions
  /** Longest run of the handler; then its signal aborts and the attempt has failed. Default `'30s'`. */
  timeout?: Duration
  /** Most runs at a time in one process. Default 10. */
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

/**
 * Checks what a person wrote about a bot.
 * @throws SetupError `ERR_BOT_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`
 */
export function bot(name: string, options: BotOptions, handler: Handler): Bot {
  if (!names.test(name)) {
    throw new SetupError(
      'ERR_BOT_INVALID',
      `"${name}" is not a name for a bot: use up to 100 letters, digits, "_", "-" and ".".`,
    )
  }
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
  const { timeout = '30s', concurrency = 10 } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new SetupError('ERR_OPTION_INVALID', `Bot "${name}": "concurrency" must be a whole number from 1.`)
  }
  const timeoutMs = milliseconds(timeout, `bot "${name}" timeout`)
  if (timeoutMs < 1)
    throw new SetupError('ERR_OPTION_INVALID', `Bot "${name}": "timeout" must be at least 1 ms.`)
  if (options.schema !== undefined && typeof options.schema['~standard']?.validate !== 'function') {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `Bot "${name}": "schema" is no Standard Schema, such as those of Zod, Valibot and ArkType.`,
    )
  }
  for (const text of on) dotted(name, text)
  return {
    name,
    on: on.map(pattern),
    handler,
    retry: retryPolicy(options.retry),
    timeoutMs,
    concurrency,
    schema: options.schema,
  }
}

/** A pattern with the sender's own spelling of a type, such as `orders/create`, would never fit. */
function dotted(name: string, text: string): void {
  const right = text.replace(/(?<=:.*)[/:]/g, '.')
  if (right === text) return
  throw new SetupError(
    'ERR_BOT_INVALID',
    `Bot "${name}" hears "${text}", but types are dotted: write "${right}".`,
  )
}

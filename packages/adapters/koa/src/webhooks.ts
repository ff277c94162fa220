import { WebhookError, knownOptions, mounted, problemOf, type Receiving } from '@trigger-hub/core'
import type { Middleware } from 'koa'
import { run } from './lift.ts'
import { write } from './reply.ts'

/** Where the endpoints of a hub are. */
export interface WebhooksOptions {
  /** Where the sources are: with `'/webhooks'`, `POST /webhooks/<source>`. Default: at the root, as below `koa-mount`. */
  prefix?: string
}

/**
 * Receives for every source of a hub. Use it before any body parser. Paths of no source go on to the app's own
 * middlewares.
 * @throws SetupError `ERR_OPTION_UNKNOWN`; `ERR_OPTION_INVALID` for a prefix that cannot be one, and for what is no hub
 */
export function webhooks(hub: Receiving, options: WebhooksOptions = {}): Middleware {
  knownOptions('webhooks', options, ['prefix'])
  const stageOf = mounted(hub, options.prefix)
  return async (ctx, next) => {
    const stage = stageOf(ctx.path)
    await (stage ? run(stage, ctx, next, hub) : next())
  }
}

/**
 * Answers the coded errors of the middlewares behind it that have `onReject: 'next'`; every other error goes on to the
 * app's own handling. Use it first.
 */
export const webhookErrors = (): Middleware => async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    if (!WebhookError.is(error) || ctx.headerSent) throw error
    write(ctx, problemOf(error))
  }
}

import type { ExecutionContext } from '@nestjs/common'
import { RESPONSE_PASSTHROUGH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js'
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js'
import { hold, writeReply, type Reply } from '@trigger-hub/core'
import { httpOf } from './http.ts'

const ofTheContent = new Set(['content-type', 'content-length', 'transfer-encoding', 'etag'])

/**
 * Answers in place of the route while the app's interceptors see a route that has answered with nothing. What Nest makes
 * of the nothing is held back; only the headers that the app sets on every reply stay.
 */
export async function answerInstead(
  context: ExecutionContext,
  reply: Reply,
  finish: () => void,
): Promise<void> {
  const { res } = httpOf(context)
  if (answersByItself(context)) {
    writeReply(res, reply)
    return finish()
  }
  const nothing = hold(res, Infinity)
  finish()
  const { headers } = await nothing.reply
  nothing.drop()
  const kept = Object.entries(headers).filter(([name]) => !ofTheContent.has(name.toLowerCase()))
  writeReply(res, { ...reply, headers: { ...Object.fromEntries(kept), ...reply.headers } })
}

/** Nest leaves the reply to a route that takes `@Res()` or `@Next()`. */
function answersByItself(context: ExecutionContext): boolean {
  const [type, method] = [context.getClass(), context.getHandler().name]
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, type, method)) return false
  const params = (Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) ?? {}) as object
  return Object.keys(params).some((key) =>
    [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].includes(Number(key.split(':', 1)[0])),
  )
}

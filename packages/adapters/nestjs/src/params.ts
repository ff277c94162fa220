import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type * as core from '@trigger-hub/core'
import { contextType } from './bots/method-runner.ts'
import { httpOf } from './http.ts'
import { attemptOf } from './parts/retry-interceptor.ts'

const runsBot = (context: ExecutionContext): boolean => context.getType<string>() === contextType

const eventOf = (context: ExecutionContext): core.WebhookEvent | undefined =>
  runsBot(context) ? context.getArgByIndex(0) : httpOf(context).webhook.event

/** The event of a bot's run, or of a route behind `SignatureGuard`. */
export const WebhookEvent = createParamDecorator((_: unknown, context: ExecutionContext) => eventOf(context))
/** What `@WebhookEvent()` gives. */
export type WebhookEvent<Data = unknown> = core.WebhookEvent<Data>

/** The parsed payload, or one property of it: `@Payload('order')`. Takes pipes. */
export const Payload = createParamDecorator((property: string | undefined, context: ExecutionContext) => {
  const data = eventOf(context)?.data
  return property === undefined ? data : (data as Record<string, unknown> | undefined)?.[property]
})

/** Which attempt this is: of a bot's run, or of a route with `RetryInterceptor`. */
export const Attempt = createParamDecorator((_: unknown, context: ExecutionContext) =>
  runsBot(context) ? context.getArgByIndex<core.AttemptContext>(1) : attemptOf(context),
)

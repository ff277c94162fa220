import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js'
import type { WebhookEvent } from '@trigger-hub/core'

const meanings: Partial<Record<RouteParamtypes, (event: WebhookEvent) => unknown>> = {
  [RouteParamtypes.BODY]: ({ data }) => data,
  [RouteParamtypes.HEADERS]: ({ headers }) => headers,
  [RouteParamtypes.RAW_BODY]: ({ rawBody }) => rawBody,
}

/** What Nest's own parameter decorators mean on a method that runs for an event; there is no request to ask. */
export const eventParams = {
  exchangeKeyForValue(type: number, property: unknown, args: unknown): unknown {
    const [event] = args as [WebhookEvent]
    const value = meanings[type as RouteParamtypes]?.(event)
    if (typeof property !== 'string') return value
    return (value as Record<string, unknown> | undefined)?.[property]
  },
}

import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import type { WireRequest } from './wire.ts'

/** Who sends. */
export const source = hmac({ secret: 'the secret of this suite' })
/** Of a body, bytes. */
export const limit = 64 * 1024

let nextKey = 0

/** A request that the sender signed, whatever else is wrong with it. */
export function signed(
  body: Buffer | string,
  headers: WireRequest['headers'] = {},
  more: Partial<WireRequest> = {},
): WireRequest {
  const rawBody = Buffer.from(body)
  const key = `event-${nextKey++}`
  return {
    path: '/webhooks/shop',
    body: rawBody,
    headers: { 'x-idempotency-key': key, ...sign(source, { rawBody, nowMs: Date.now() }), ...headers },
    ...more,
  }
}

export const json = { 'content-type': 'application/json' }

/** What is answered, whether an event was stored, and what its bots get as `data`. */
export interface Case {
  name: string
  request: () => WireRequest
  status: number
  code?: string
  data?: unknown
}

export const bytes = (body: Buffer | string): unknown => ({ bytes: Buffer.from(body).toString('base64') })

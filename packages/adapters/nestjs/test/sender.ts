import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'

export const source = hmac({ secret: 'It is a secret to everybody' })

/** A request that the source has signed. */
export function signed(payload: unknown, headers: Record<string, string> = {}): RequestInit {
  const rawBody = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  const all = { 'content-type': 'application/json', 'x-event-type': 'order/paid', ...headers }
  return {
    method: 'POST',
    headers: { ...all, ...sign(source, { rawBody, nowMs: Date.now() }) },
    body: rawBody,
  }
}

export const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})

export const codeOf = async (reply: Response) => ((await reply.json()) as { code: string }).code

import type { IdempotencyOptions } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { Answer, Part, Seen } from './app.ts'
import type { Got } from './send.ts'
import type { AdapterTrial } from './trial.ts'

type Handler = (run: number, seen: Seen) => Answer | Promise<Answer>
type Post = (
  key?: string,
  body?: unknown,
  headers?: Record<string, string | readonly string[]>,
) => Promise<Got>

/** A guarded route, and how to call it. The handler is told which run it is. */
export async function guarded(
  trial: AdapterTrial,
  handler: Handler,
  options: Partial<IdempotencyOptions> = {},
  before: readonly Part[] = [{ is: 'json' }],
): Promise<Post> {
  let runs = 0
  const guard: Part = {
    is: 'idempotency',
    options: { store: memory(), log: (record) => void trial.logged.push(record), ...options },
  }
  const post = await trial.serve({
    routes: [{ path: '/charges', parts: [...before, guard], handler: (seen) => handler(++runs, seen) }],
  })
  return (key, body = { amount: 1 }, headers = {}) =>
    post('/charges', {
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      body: JSON.stringify(body),
    })
}

/** An answer in JSON. */
export const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
})

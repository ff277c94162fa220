import { StreamableFile, type CallHandler, type ExecutionContext } from '@nestjs/common'
import {
  hold,
  respond,
  type HeldReply,
  type Log,
  type Next,
  type Reply,
  type RespondOptions,
  type Stage,
} from '@trigger-hub/core'
import { concatMap, of, tap, type Observable } from 'rxjs'
import { answerInstead } from './answer.ts'
import { inMemory } from './file.ts'
import { httpOf, offerBody } from './http.ts'
import { nestLog } from './nest-log.ts'
import { Answered } from './webhook-exception-filter.ts'

/** Stands for a reply that nobody asked to see. */
const passed: Reply = { status: 200, headers: {} }

/** Nest always throws, and a filter answers. */
const throwing: RespondOptions = { onReject: 'next', log: nestLog }

/**
 * A core stage as a guard.
 * @throws WebhookError when the stage refuses; `Answered` when it has a reply of its own
 */
export async function guard(stage: Stage, context: ExecutionContext): Promise<true> {
  const rest: Next = async () => {
    offerBody(context)
    return passed
  }
  const reply = await respond(stage, httpOf(context), rest, throwing)
  if (reply !== passed) throw new Answered(reply)
  return true
}

/** A core stage as an interceptor. A reply of its own goes out as it is, whatever other interceptors make of a value. */
export function intercept(
  stage: Stage,
  context: ExecutionContext,
  handler: CallHandler,
  log: Log = nestLog,
): Promise<Observable<unknown>> {
  const http = httpOf(context)
  let fromRoute: Reply | undefined
  let held: HeldReply | undefined
  return new Promise((resolve, reject) => {
    const rest: Next = async ({ holdBytes } = {}) => {
      offerBody(context)
      if (holdBytes === undefined) {
        resolve(handler.handle())
        return (fromRoute = passed)
      }
      held = hold(http.res, holdBytes)
      const unsent = new Promise<Reply>((forNobody, fail) => {
        const read = async (value: unknown): Promise<unknown> =>
          value instanceof StreamableFile ? inMemory(context, value, holdBytes, forNobody) : value
        resolve(handler.handle().pipe(concatMap(read), tap({ error: fail })))
      })
      return (fromRoute = await Promise.race([held.reply, unsent]))
    }
    const replied = async (reply: Reply): Promise<void> => {
      if (reply === fromRoute) held?.release()
      else await answerInstead(context, reply, () => resolve(of(undefined)))
    }
    const failed = (error: unknown): void => {
      if (!held) return reject(error)
      void held.reply.then(() => held?.release()) // the route has thrown, and the app's own filter answers
    }
    respond(stage, http, rest, { ...throwing, log })
      .then(replied)
      .catch(failed)
  })
}

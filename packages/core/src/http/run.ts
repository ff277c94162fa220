import type { ServerResponse } from 'node:http'
import { respond, type RespondOptions } from '../stages/respond.ts'
import type { Next, Reply, Stage } from '../words/request.ts'
import { hold, type Held } from './held.ts'
import { requestOf, stateOf, type Incoming } from './incoming.ts'
import { writeReply } from './outgoing.ts'

/** Stands for a reply that the route writes by itself, whenever it does. */
const passed: Reply = { status: 200, headers: {} }

/**
 * Runs a stage on one request of `node:http` or of a framework that hands its requests through, such as Express.
 * @param next  runs the rest; called without an error when the stage lets the request pass, with one that is not ours
 */
export function runStage(
  stage: Stage,
  req: Incoming,
  res: ServerResponse,
  next: (error?: unknown) => void,
  options?: RespondOptions,
): void {
  let fromRoute: Reply | undefined
  let held: Held | undefined
  const rest: Next = async ({ holdBytes } = {}) => {
    offerBody(req)
    if (holdBytes !== undefined) held = hold(res, holdBytes)
    next()
    return (fromRoute = held ? await held.reply : passed)
  }
  const run = async (): Promise<void> => {
    try {
      const reply = await respond(stage, requestOf(req), rest, options)
      if (reply === fromRoute) return held?.release()
      held?.drop()
      writeReply(res, reply)
    } catch (error) {
      held?.drop()
      next(error)
    }
  }
  void run()
}

/** The route finds the payload in `req.body`, unless a parser has set it; parsers further on see that it was read. */
function offerBody(req: Incoming & { _body?: boolean }): void {
  const webhook = stateOf(req)
  if (webhook.rawBody === undefined) return
  req._body = true // the parsers of Express 4 look at this, those of Express 5 at the stream
  if (req.body === undefined) req.body = webhook.event?.data ?? webhook.payload
}

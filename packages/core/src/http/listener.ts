import type { RequestListener } from 'node:http'
import { problemOf, type RespondOptions } from '../stages/respond.ts'
import { WebhookError } from '../words/errors.ts'
import { callable, knownOptions } from '../words/options.ts'
import type { Stage } from '../words/request.ts'
import { mounted } from './mounted.ts'
import { writeReply } from './outgoing.ts'
import { runStage } from './run.ts'

/** What an adapter needs of a hub. */
export interface Receiving {
  /** The stage for a path below the mount point, such as `/shop`; undefined when it is no source's. */
  route(path: string): Stage | undefined
  readonly log: NonNullable<RespondOptions['log']>
}

export interface ListenerOptions {
  /** Where the sources are: with `'/webhooks'`, `POST /webhooks/<source>`. Default: at the root. */
  prefix?: string
  /** Answers paths that are no source's. Default: 404. */
  otherwise?: RequestListener
}

/**
 * A listener for `http.createServer`, for apps without a framework.
 * @throws SetupError `ERR_OPTION_UNKNOWN`; `ERR_OPTION_INVALID` for a prefix that cannot be one, and for what is no hub
 */
export function createListener(hub: Receiving, options: ListenerOptions = {}): RequestListener {
  knownOptions('createListener', options, ['prefix', 'otherwise'])
  const stageOf = mounted(hub, options.prefix)
  const { otherwise = (_req, res) => writeReply(res, notFound) } = options
  callable('otherwise', otherwise, 'a listener, (req, res) => …')
  return (req, res) => {
    const [path = ''] = (req.url ?? '').split('?', 1)
    const stage = stageOf(path)
    if (!stage) return otherwise(req, res)
    runStage(stage, req, res, (error) => broken(hub, error, () => writeReply(res, failed)), { log: hub.log })
  }
}

const notFound = problemOf(new WebhookError('ERR_ROUTE_UNKNOWN', 'No source has this path.'))
const failed = { status: 500, headers: {} }

/** A mistake in the set-up, or a defect: there is no app to hand it to, so it is logged and answered. */
function broken({ log }: Receiving, error: unknown, answer: () => void): void {
  const { code = 'ERR_UNEXPECTED', message = String(error) } = error as { code?: string; message?: string }
  log({ level: 'error', code, message })
  answer()
}

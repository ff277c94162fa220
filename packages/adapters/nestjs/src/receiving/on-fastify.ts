import type { IncomingMessage, ServerResponse } from 'node:http'
import { runStage, type Stage } from '@trigger-hub/core'
import type { Entrance } from './entrance.ts'
import { rawRouteKey } from './raw-routes.ts'

type Done = (error?: Error | null, payload?: unknown) => void

interface FastifyRequest {
  readonly raw: IncomingMessage
  /** Reading gives the request's with these laid over. */
  headers: Record<string, string | undefined>
  readonly routeOptions: { readonly config?: { readonly [rawRouteKey]?: Stage } }
}

interface FastifyReply {
  readonly raw: ServerResponse
}

/** What is used of a Fastify instance. */
export interface FastifyApp {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: FastifyReply, done: Done) => void,
  ): unknown
  addHook(
    name: 'preParsing',
    hook: (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: Done) => void,
  ): unknown
}

/** Fastify asks these headers whether there is a body to parse, and refuses content types that it has no parser for. */
const nothingToParse = {
  'content-type': undefined,
  'content-length': undefined,
  'transfer-encoding': undefined,
}

/** Stands before Fastify's parsers: a hub's paths never reach them, and marked routes find nothing to parse. */
export function onFastify(app: FastifyApp, { endpoint, log }: Entrance): void {
  const rawRoute = ({ routeOptions }: FastifyRequest): Stage | undefined => routeOptions.config?.[rawRouteKey]

  app.addHook('onRequest', (request, reply, done) => {
    const [path = ''] = (request.raw.url ?? '').split('?', 1)
    const stage = endpoint(path)
    if (stage) runStage(stage, request.raw, reply.raw, (error) => done(error as Error), { log })
    else done()
  })

  app.addHook('preParsing', (request, reply, payload, done) => {
    const stage = rawRoute(request)
    if (!stage) return done(null, payload)
    const next = (error?: unknown): void => {
      request.headers = nothingToParse
      done((error as Error | undefined) ?? null, payload)
    }
    runStage(stage, request.raw, reply.raw, next, { log })
  })

  app.addHook('preValidation', (request, _reply, done) => {
    if (rawRoute(request)) request.headers = {}
    done()
  })
}

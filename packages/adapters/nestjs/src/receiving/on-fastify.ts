import { runStage } from '@trigger-hub/core'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Entrance } from './entrance.ts'
import { rawRouteKey } from './raw-routes.ts'

type Done = (error?: Error | null, payload?: unknown) => void

interface FastifyRequest {
  readonly raw: IncomingMessage
  /** Reading gives the request's with these laid over. */
  headers: Record<string, string | undefined>
  readonly routeOptions: { readonly config?: object }
}

/** What is used of a Fastify instance. */
export interface FastifyApp {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: { readonly raw: ServerResponse }, done: Done) => void,
  ): unknown
  addHook(
    name: 'preParsing',
    hook: (
      request: FastifyRequest,
      reply: { readonly raw: ServerResponse },
      payload: unknown,
      done: Done,
    ) => void,
  ): unknown
}

/** Fastify asks these headers whether there is a body to parse, and refuses content types that it has no parser for. */
const nothingToParse = {
  'content-type': undefined,
  'content-length': undefined,
  'transfer-encoding': undefined,
}

const isRaw = ({ routeOptions }: FastifyRequest): boolean => rawRouteKey in (routeOptions.config ?? {})

/** Stands before Fastify's parsers: a hub's paths never reach them, and marked routes find nothing to parse. */
export function onFastify(app: FastifyApp, { endpoint, capture, log }: Entrance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const [path = ''] = (request.raw.url ?? '').split('?', 1)
    const stage = endpoint(path)
    if (stage) runStage(stage, request.raw, reply.raw, (error) => done(error as Error), { log })
    else done()
  })
  if (!capture) return
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (!isRaw(request)) return done(null, payload)
    const next = (error?: unknown): void => {
      request.headers = nothingToParse
      done((error as Error | undefined) ?? null, payload)
    }
    runStage(capture, request.raw, reply.raw, next, { log })
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (isRaw(request)) request.headers = {}
    done()
  })
}

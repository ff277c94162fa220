import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { Answer, Part, Route, Serve } from '@trigger-hub/conformance'
import {
  createListener,
  enqueue,
  idempotency,
  rawBody,
  runStage,
  stateOf,
  verifySignature,
  type OnReject,
  type Stage,
} from '@trigger-hub/core'

type Middleware = (
  req: IncomingMessage & { body?: unknown },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** The suite's app with nothing but `node:http`. */
export const serve: Serve = async ({ hubs = {}, parserFirst = false, routes = [] }) => {
  const hubListeners = Object.entries(hubs).map(([prefix, hub]) => hubMiddleware(prefix, hub))
  const routeMiddlewares = routes.flatMap(({ method = 'POST', path, parts, handler }) =>
    [...parts.map(middleware), ...(handler ? [route(handler)] : [])].map((one) => at(method, path, one)),
  )
  const chain = [...(parserFirst ? [json] : []), ...hubListeners, ...routeMiddlewares]
  const server = createServer((req, res) => {
    const run = (index: number, error?: unknown): void => {
      const one = chain[index]
      if (error !== undefined) failed(res, error as Error)
      else if (one) one(req, res, (thrown) => run(index + 1, thrown))
      else res.writeHead(404).end()
    }
    run(0)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function failed(res: ServerResponse, { message, status = 500 }: Error & { status?: number }): void {
  res.writeHead(status).end(`app: ${message}`)
}

function hubMiddleware(prefix: string, hub: Parameters<typeof createListener>[0]): Middleware {
  const rest = new WeakMap<IncomingMessage, () => void>()
  const listener = createListener(hub, { prefix, otherwise: (req) => rest.get(req)?.() })
  return (req, res, next) => {
    rest.set(req, next)
    listener(req, res)
  }
}

const at =
  (method: string, path: string, middleware: Middleware): Middleware =>
  (req, res, next) =>
    req.method?.replace('HEAD', 'GET') === method && req.url === path ? middleware(req, res, next) : next()

const lifted =
  (stage: Stage, onReject?: OnReject): Middleware =>
  (req, res, next) =>
    runStage(stage, req, res, next, onReject && { onReject })

function middleware(part: Part): Middleware {
  switch (part.is) {
    case 'rawBody': {
      const { onReject, ...options } = part.options ?? {}
      return lifted(rawBody(options), onReject)
    }
    case 'verifySignature': {
      const { onReject, ...options } = part.options ?? {}
      return lifted(verifySignature(part.source, options), onReject)
    }
    case 'enqueue':
      return lifted(enqueue(part.target), part.options?.onReject)
    case 'idempotency': {
      const { onReject, ...options } = part.options
      return lifted(idempotency(options), onReject)
    }
    case 'json':
      return json
  }
}

/** A parser as every framework has one: it reads what nobody has read. */
const json: Middleware = (req, _res, next) => {
  if (req.readableDidRead) return next()
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    req.body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    next()
  })
}

const route =
  (handler: NonNullable<Route['handler']>): Middleware =>
  (req, res, next) => {
    Promise.resolve()
      .then(() => handler({ body: req.body, webhook: stateOf(req) }))
      .then((answer) => write(res, answer))
      .catch(next)
  }

function write(res: ServerResponse, { status, headers = {}, body }: Answer): void {
  res.writeHead(status, headers)
  if (body instanceof Readable) body.pipe(res)
  else res.end(body)
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Part, Route, Serve, Served } from '@trigger-hub/conformance'
import koa3 from 'koa'
import { enqueue, idempotency, rawBody, verifySignature, webhooks } from '../src/index.ts'

/** Koa 2 has the types of Koa 3 as far as they are used here. */
const koa2 = createRequire(__filename)('koa2') as typeof koa3

export const majors = { 'Koa 3': koa3, 'Koa 2': koa2 }

/** An app on a port of its own. */
export async function listening(app: koa3): Promise<Served> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The suite's app in Koa. */
export const serve =
  (Koa: typeof koa3): Serve =>
  ({ hubs = {}, parserFirst = false, routes = [] }) => {
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        const { status = 500, message } = error as Error & { status?: number }
        ctx.status = status
        ctx.body = `app: ${message}`
      }
    })
    if (parserFirst) app.use(parser())
    for (const [prefix, hub] of Object.entries(hubs)) app.use(webhooks(hub, { prefix }))
    const router = new Router()
    for (const { method = 'POST', path, parts, handler } of routes) {
      router.register(path, [method], [...parts.map(middleware), ...(handler ? [route(handler)] : [])])
    }
    return listening(app.use(router.routes() as koa3.Middleware))
  }

const parser = (): koa3.Middleware => bodyParser({ enableTypes: ['json'] })

function middleware(part: Part): koa3.Middleware {
  switch (part.is) {
    case 'rawBody':
      return rawBody(part.options)
    case 'verifySignature':
      return verifySignature(part.source, part.options)
    case 'enqueue':
      return enqueue(part.target, part.options)
    case 'idempotency':
      return idempotency(part.options)
    case 'json':
      return parser()
  }
}

const route =
  (handler: NonNullable<Route['handler']>): koa3.Middleware =>
  async (ctx) => {
    const { status, headers, body } = await handler({ body: ctx.request.body, webhook: ctx.state.webhook })
    ctx.body = body ?? null
    ctx.status = status
    ctx.set(headers ?? {})
  }

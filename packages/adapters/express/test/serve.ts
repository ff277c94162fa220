import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { Answer, Part, Route, Serve } from '@trigger-hub/conformance'
import express5, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express'
import { enqueue, idempotency, rawBody, verifySignature, webhooks } from '../src/index.ts'

/** Express 4 has the types of Express 5 as far as they are used here. */
const express4 = createRequire(__filename)('express4') as typeof express5

export const majors = { 'Express 5': express5, 'Express 4': express4 }

/** The suite's app in Express. */
export const serve =
  (express: typeof express5, listen: (app: Express) => Server): Serve =>
  async ({ hubs = {}, parserFirst = false, routes = [] }) => {
    const app = express()
    if (parserFirst) app.use(express.json())
    for (const [prefix, hub] of Object.entries(hubs)) app.use(prefix, webhooks(hub))
    for (const { method = 'POST', path, parts, handler } of routes) {
      const add = app[method.toLowerCase() as 'post'].bind(app) as Express['post']
      add(path, ...parts.map((part) => middleware(part, express)), ...(handler ? [route(handler)] : []))
    }
    app.use(((error: Error & { status?: number }, _req, res, _next) => {
      res.status(error.status ?? 500).send(`app: ${error.message}`)
    }) as ErrorRequestHandler)
    const server = listen(app)
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

function middleware(part: Part, express: typeof express5): RequestHandler {
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
      return express.json()
  }
}

/** Express 4 does not see a rejected promise. */
const route =
  (handler: NonNullable<Route['handler']>): RequestHandler =>
  (req, res, next) => {
    Promise.resolve()
      .then(() => handler({ body: req.body as unknown, webhook: req.webhook }))
      .then((answer) => write(res, answer))
      .catch(next)
  }

function write(res: Response, { status, headers = {}, body }: Answer): void {
  res.status(status).set(headers)
  if (body instanceof Readable) body.pipe(res)
  else if (body === undefined) res.end()
  else res.send(body)
}

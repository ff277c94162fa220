import { createServer as createHttpServer, IncomingMessage, ServerResponse, type Server } from 'node:http'
import { invalidOption, isRecord } from '@trigger-hub/core'
import type { Express } from 'express'

/**
 * An HTTP server for an Express app whose requests and responses are *born* with the app's prototypes. Express changes
 * the prototype of each one, which costs most of its CPU on Node.js 20 and 22; here there is nothing left to change.
 * Everything else is as with `app.listen()`.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no app
 */
export function createServer(app: Express): Server {
  if (typeof app !== 'function' || !isRecord(app.request))
    throw invalidOption('app', app, 'what express() returns')
  return createHttpServer(
    {
      IncomingMessage: bornWith(IncomingMessage, app.request),
      ServerResponse: bornWith(ServerResponse, app.response),
    },
    app,
  )
}

/**
 * A constructor like `base` whose instances have this very prototype object, which a class could not be given. Called
 * and not constructed, the base sets up `this` as it is: twice as fast as `Reflect.construct`.
 */
function bornWith<Base extends typeof IncomingMessage | typeof ServerResponse>(
  base: Base,
  prototype: object,
): Base {
  function Born(this: object, ...args: unknown[]): void {
    ;(base as unknown as (...args: unknown[]) => void).apply(this, args)
  }
  Born.prototype = prototype
  return Born as unknown as Base
}

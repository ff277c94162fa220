import { Readable } from 'node:stream'
import * as common from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import type { App, Part, Route, Serve } from '@trigger-hub/conformance'
import { requestOf, type Incoming, type TriggerHub } from '@trigger-hub/core'
import {
  EnqueueInterceptor,
  IdempotencyInterceptor,
  RawBodyGuard,
  SignatureGuard,
  TriggerHubModule,
} from '../src/index.ts'
import { create, listening, rootOf, type Platform } from './app.ts'

/** The suite's app in Nest. */
export const serve =
  (platform: Platform): Serve =>
  async ({ hubs = {}, parserFirst = false, routes = [] }: App) => {
    const imports = Object.entries(hubs).map(([prefix, hub]) =>
      TriggerHubModule.forRoot({ hub: lent(hub as TriggerHub), prefix, role: 'receiver' }),
    )
    const app = await create(
      rootOf({
        imports: imports.length > 0 ? imports : [TriggerHubModule],
        controllers: routes.map(controller),
        providers: [{ provide: APP_FILTER, useValue: ownErrors }],
      }),
      platform,
      parserFirst ||
        routes.some(({ parts }) => parts[0]?.is === 'json' && parts[1]?.is === 'verifySignature'),
    )
    return listening(app)
  }

/** The suite closes its hubs itself. */
const lent = (hub: TriggerHub): TriggerHub =>
  new Proxy(hub, {
    get(target, name) {
      if (name === 'close') return async () => undefined
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

interface PlatformReply {
  status(code: number): PlatformReply
  header(name: string, value: string): PlatformReply
  send(body: unknown): void
}

/** The app's own error handling. */
class OwnErrors implements common.ExceptionFilter {
  catch(error: Error, host: common.ArgumentsHost) {
    const status = error instanceof common.HttpException ? error.getStatus() : 500
    host.switchToHttp().getResponse<PlatformReply>().status(status).send(`app: ${error.message}`)
  }
}
common.Catch()(OwnErrors)
const ownErrors = new OwnErrors()

/** Nest's parsers need no part. */
const guards = (part: Part) =>
  part.is === 'rawBody'
    ? [RawBodyGuard(withoutReject(part.options))]
    : part.is === 'verifySignature'
      ? [SignatureGuard(part.source, withoutReject(part.options))]
      : []

const interceptors = (part: Part) =>
  part.is === 'idempotency'
    ? [IdempotencyInterceptor(withoutReject(part.options))]
    : part.is === 'enqueue'
      ? [EnqueueInterceptor(part.target)]
      : []

/** Nest always throws, and a filter answers. */
function withoutReject<Options extends object>(
  { onReject: _, ...options }: Options & { onReject?: unknown } = {} as Options,
) {
  return options
}

function controller({ method: verb = 'POST', path, parts, handler }: Route): common.Type {
  class Routes {
    async route(request: Incoming & { raw?: Incoming }, reply: PlatformReply) {
      const { webhook } = requestOf(request.raw ?? request)
      const { status, headers = {}, body } = (await handler?.({ body: request.body, webhook }))!
      reply.status(status)
      for (const [name, value] of Object.entries(headers)) reply.header(name, value)
      return body instanceof Readable || Buffer.isBuffer(body)
        ? new common.StreamableFile(body as Readable)
        : body
    }
  }
  const method = Object.getOwnPropertyDescriptor(Routes.prototype, 'route')!
  common.Req()(Routes.prototype, 'route', 0)
  common.Res({ passthrough: true })(Routes.prototype, 'route', 1)
  common.RequestMapping({ path, method: common.RequestMethod[verb] })(Routes.prototype, 'route', method)
  common.UseGuards(...parts.flatMap(guards))(Routes.prototype, 'route', method)
  common.UseInterceptors(...parts.flatMap(interceptors))(Routes.prototype, 'route', method)
  common.Controller()(Routes)
  return Routes
}

import { Inject, Injectable, Optional } from '@nestjs/common'
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core'
import { SetupError, TriggerHub, rawBody, stderrLog, type Log, type Stage } from '@trigger-hub/core'
import { TRIGGER_HUB_OPTIONS, type TriggerHubModuleOptions } from '../options.ts'
import { endpoints } from './endpoints.ts'
import { onExpress, type ExpressApp } from './on-express.ts'
import { onFastify, type FastifyApp } from './on-fastify.ts'
import { RawRoutes } from './raw-routes.ts'

/**
 * What stands before the app's parsers: the hub's own paths are received here, and the routes that want their exact
 * bytes have them read. Providers are made before `main.ts` has the app, so nothing can have been added before.
 */
@Injectable()
export class Entrance {
  /** The stage of a path of the hub. */
  readonly endpoint: (path: string) => Stage | undefined
  /** Reads the bytes for a marked route; undefined when there is none. */
  readonly capture: Stage | undefined
  readonly log: Log

  constructor(
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(RawRoutes) rawRoutes: RawRoutes,
    @Optional() @Inject(TriggerHub) hub?: TriggerHub,
    @Optional() @Inject(TRIGGER_HUB_OPTIONS) options: TriggerHubModuleOptions = {},
  ) {
    const { prefix = '/webhooks', role, limit, bodyTimeout } = options
    const receives = hub && role !== 'worker'
    this.log = hub?.log ?? stderrLog
    this.endpoint = receives ? endpoints(hub, prefix, config) : () => undefined
    this.capture = rawRoutes.any
      ? rawBody({ ...(limit && { limit }), ...(bodyTimeout && { bodyTimeout }) })
      : undefined
    if (host.httpAdapter) this.#open(host)
    else host.init$?.subscribe(() => this.#open(host)) // a testing module has its app later
  }

  #open({ httpAdapter }: HttpAdapterHost): void {
    const platform = httpAdapter?.getType() // none in an app without HTTP
    if (platform === 'express') onExpress(httpAdapter.getInstance<ExpressApp>(), this)
    else if (platform === 'fastify') onFastify(httpAdapter.getInstance<FastifyApp>(), this)
    else if (platform !== undefined) {
      throw new SetupError(
        'ERR_OPTION_INVALID',
        `There is no support for the platform "${platform}": use Express or Fastify.`,
      )
    }
  }
}

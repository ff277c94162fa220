import { Inject, Injectable, Optional } from '@nestjs/common'
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core'
import { SetupError, TriggerHub, type Log, type Stage } from '@trigger-hub/core'
import { nestLog } from '../nest-log.ts'
import { TRIGGER_HUB_OPTIONS, type TriggerHubModuleOptions } from '../options.ts'
import { endpoints } from './endpoints.ts'
import { onExpress, type ExpressApp } from './on-express.ts'
import { onFastify, type FastifyApp } from './on-fastify.ts'

/**
 * What stands before the app's parsers: the hub's own paths are received here, and the routes that want their exact
 * bytes have them read. Providers are made before `main.ts` has the app, so nothing can have been added before.
 */
@Injectable()
export class Entrance {
  /** The stage of a path of the hub. */
  readonly endpoint: (path: string) => Stage | undefined
  readonly log: Log

  constructor(
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Optional() @Inject(TriggerHub) hub?: TriggerHub,
    @Optional() @Inject(TRIGGER_HUB_OPTIONS) options: TriggerHubModuleOptions = {},
  ) {
    const { prefix = '/webhooks', role } = options
    const receives = hub && role !== 'worker'
    this.log = hub?.log ?? nestLog
    this.endpoint = receives ? endpoints(hub, prefix, config) : () => undefined
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

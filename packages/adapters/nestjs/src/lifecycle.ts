import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { TriggerHub } from '@trigger-hub/core'
import { BotFinder } from './bots/find-bots.ts'
import { TRIGGER_HUB_OPTIONS, type TriggerHubModuleOptions } from './options.ts'

/** Starts the hub with the app, and closes it before the app closes its server. */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #hub: TriggerHub
  readonly #bots: BotFinder
  readonly #receivesOnly: boolean

  constructor(
    @Inject(TriggerHub) hub: TriggerHub,
    @Inject(BotFinder) bots: BotFinder,
    @Inject(TRIGGER_HUB_OPTIONS) { role }: TriggerHubModuleOptions,
  ) {
    this.#hub = hub
    this.#bots = bots
    this.#receivesOnly = role === 'receiver'
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#bots.addTo(this.#hub)
    await (this.#receivesOnly ? this.#hub.start() : this.#hub.work())
  }

  /** Drains: new requests get 503, running attempts may finish. */
  async onModuleDestroy(): Promise<void> {
    await this.#hub.close()
  }
}

import { Module, type DynamicModule, type Provider } from '@nestjs/common'
import { APP_FILTER, DiscoveryModule } from '@nestjs/core'
import { TriggerHub, callable, knownOptions, type Sources } from '@trigger-hub/core'
import { BotFinder } from './bots/find-bots.ts'
import { MethodRunner } from './bots/method-runner.ts'
import { Lifecycle } from './lifecycle.ts'
import {
  TRIGGER_HUB_OPTIONS,
  hubOf,
  type TriggerHubModuleAsyncOptions,
  type TriggerHubModuleOptions,
} from './options.ts'
import { Entrance } from './receiving/entrance.ts'
import { RawRoutes } from './receiving/raw-routes.ts'
import { WebhookExceptionFilter } from './webhook-exception-filter.ts'

const withHub: Provider[] = [
  { provide: TriggerHub, inject: [TRIGGER_HUB_OPTIONS], useFactory: hubOf },
  MethodRunner,
  BotFinder,
  Lifecycle,
]

/**
 * Receives webhooks in a Nest app and runs its bots. Imported as it is, without `forRoot`, it only makes the parts work
 * that are used on routes: `SignatureGuard` and the interceptors.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [RawRoutes, Entrance, { provide: APP_FILTER, useClass: WebhookExceptionFilter }],
})
export class TriggerHubModule {
  /** Makes a hub; `TriggerHub` can then be injected anywhere. */
  static forRoot<const S extends Sources>(options: TriggerHubModuleOptions<S> = {}): DynamicModule {
    return withOptions({ provide: TRIGGER_HUB_OPTIONS, useValue: options })
  }

  /** The same with options that come from elsewhere, such as a `ConfigService`. */
  static forRootAsync(options: TriggerHubModuleAsyncOptions): DynamicModule {
    knownOptions('forRootAsync', options, ['imports', 'inject', 'useFactory'])
    const { imports = [], inject = [], useFactory } = options
    callable('useFactory', useFactory, 'a function that returns the options')
    return { ...withOptions({ provide: TRIGGER_HUB_OPTIONS, inject, useFactory }), imports }
  }
}

const withOptions = (options: Provider): DynamicModule => ({
  module: TriggerHubModule,
  global: true,
  providers: [options, ...withHub],
  exports: [TriggerHub, TRIGGER_HUB_OPTIONS],
})

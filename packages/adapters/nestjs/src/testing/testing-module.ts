import type { DynamicModule } from '@nestjs/common'
import { optionsOf, type Sources } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { TriggerHubModule } from '../module.ts'
import type { TriggerHubModuleOptions } from '../options.ts'
import { TestingHub } from './testing-hub.ts'

/** `TriggerHubModule` in memory, for tests of an app's bots; `app.get(TestingHub)` gives them events. */
export class TriggerHubTestingModule {
  static forRoot<const S extends Sources>(options: TriggerHubModuleOptions<S> = {}): DynamicModule {
    const {
      providers = [],
      exports = [],
      ...module
    } = TriggerHubModule.forRoot({
      driver: memory(),
      allowVolatile: true,
      ...optionsOf('TriggerHubTestingModule', options),
    })
    return { ...module, providers: [...providers, TestingHub], exports: [...exports, TestingHub] }
  }
}

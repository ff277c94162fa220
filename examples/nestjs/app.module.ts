import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common'
import type { TriggerHub as Hub } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { TriggerHub, TriggerHubModule } from '@trigger-hub/nestjs'
import { addBots } from '../shared/bots.ts'
import { outbox } from '../shared/outbox.ts'
import { sources } from '../shared/sources.ts'

const { DATA = '.trigger-hub' } = process.env

/** The bots of the other examples, unchanged. Bots of a Nest app can also be methods with `@On`: see the package's README. */
@Injectable()
class SharedBots {
  constructor(@Inject(TriggerHub) hub: Hub<typeof sources>) {
    addBots(hub, outbox(`${DATA}/outbox`))
  }
}

@Controller()
class Rest {
  @Get()
  rest() {
    return 'The rest of your app.'
  }
}

@Module({
  imports: [
    TriggerHubModule.forRoot({ driver: embedded({ path: `${DATA}/hub.db` }), sources, signals: true }),
  ],
  controllers: [Rest],
  providers: [SharedBots],
})
export class AppModule {}

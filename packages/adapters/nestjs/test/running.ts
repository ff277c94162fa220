import type { CallHandler, INestApplication, NestInterceptor, Type } from '@nestjs/common'
import { map } from 'rxjs'
import { TriggerHubTestingModule } from '../src/index.ts'
import { create, listening, rootOf, type Platform } from './app.ts'
import { source } from './sender.ts'

/** How to run an app with one controller on a platform, until the test that runs it is over. */
export function running(platform: Platform) {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  return async (
    controller: Type,
    edit?: (app: INestApplication) => unknown,
    module = TriggerHubTestingModule.forRoot({ sources: { shop: source } }),
  ) => {
    const app = await create(rootOf({ imports: [module], controllers: [controller] }), platform)
    edit?.(app)
    const { url, close } = await listening(app)
    closing.push(close)
    return { url, app }
  }
}

/** An interceptor of an app's own. */
export const wrapping: NestInterceptor = {
  intercept: (_, next: CallHandler) => next.handle().pipe(map((data: unknown) => ({ data }))),
}

import { SetMetadata, UseFilters, UseGuards, UseInterceptors, applyDecorators } from '@nestjs/common'
import { optionsOf, textOf } from '@trigger-hub/core'
import { hearingKey, type Hearing, type OnOptions } from './bots/bot.ts'
import { EnqueueInterceptor } from './parts/enqueue-interceptor.ts'
import { SignatureGuard } from './parts/signature-guard.ts'
import { WebhookExceptionFilter } from './webhook-exception-filter.ts'

/** How the method of a route is run as a bot. */
export interface WebhookOptions extends OnOptions {
  /** Types that the method hears, such as `'orders.*'`; or several. Default: all of the source. */
  on?: string | readonly string[]
}

/**
 * Makes a route the endpoint of a source and its method a bot: the signature is checked, a repeat is recognised, the
 * sender has its answer once the event is safe, and then the method runs, with retries and dead letters as any bot.
 * `@WebhookEvent()`, `@Payload()`, `@Attempt()`, `@Body()` and `@Headers()` are the event's; there is no request any more.
 */
export const Webhook =
  (source: string, options: WebhookOptions = {}): MethodDecorator =>
  (target, method, descriptor) => {
    const { on = '**', ...ofBot } = optionsOf('@Webhook', options)
    const name = `${target.constructor.name}.${String(method)}`
    const types = [on].flat().map((type) => textOf('on', type))
    const hearing: Hearing = { name, ...ofBot, on: types.map((type) => `${source}:${type}`) }
    applyDecorators(
      SetMetadata(hearingKey, hearing),
      UseGuards(SignatureGuard(source)),
      UseInterceptors(EnqueueInterceptor()),
      UseFilters(WebhookExceptionFilter),
    )(target, method, descriptor)
  }

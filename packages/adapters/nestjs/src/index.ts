export { Bot, On, type OnOptions } from './bots/bot.ts'
export { guard, intercept } from './lift.ts'
export { TriggerHubModule } from './module.ts'
export {
  TRIGGER_HUB_OPTIONS,
  type Role,
  type TriggerHubModuleAsyncOptions,
  type TriggerHubModuleOptions,
} from './options.ts'
export { Attempt, Payload, WebhookEvent } from './params.ts'
export { EnqueueInterceptor } from './parts/enqueue-interceptor.ts'
export { IdempotencyInterceptor } from './parts/idempotency-interceptor.ts'
export { RawBodyGuard } from './parts/raw-body-guard.ts'
export { RetryInterceptor } from './parts/retry-interceptor.ts'
export { SignatureGuard } from './parts/signature-guard.ts'
export { TestingHub, type TestEvent } from './testing/testing-hub.ts'
export { TriggerHubTestingModule } from './testing/testing-module.ts'
export { Webhook, type WebhookOptions } from './webhook.ts'
export { WebhookExceptionFilter } from './webhook-exception-filter.ts'
export { TriggerHub, type AttemptContext } from '@trigger-hub/core'

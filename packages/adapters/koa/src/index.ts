export * from './middlewares.ts'
export { lift } from './lift.ts'
export { webhookErrors, webhooks, type WebhooksOptions } from './webhooks.ts'
export { TriggerHub } from '@trigger-hub/core'

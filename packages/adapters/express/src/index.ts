import type { WebhookState } from '@trigger-hub/core'

declare global {
  // Express's own way to add to its request
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** What Trigger Hub knows of this request: `rawBody`, `source`, `event`, `verified`, `key`. */
      webhook?: WebhookState
    }
  }
}

export * from './middlewares.ts'
export { createServer } from './create-server.ts'
export { lift, type Middleware } from './lift.ts'
export { webhookErrors, webhooks } from './webhooks.ts'
export { TriggerHub } from '@trigger-hub/core'

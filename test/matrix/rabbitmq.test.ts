import { randomUUID } from 'node:crypto'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { redis } from '@trigger-hub/redis'
import { needs } from '../servers/needs.ts'
import { stories } from './stories.ts'

needs('rabbitmq', (url) =>
  needs('redis', (redisUrl) =>
    stories(() => {
      const prefix = `matrix-${randomUUID()}`
      return rabbitmq({ url, store: redis(redisUrl, { prefix }), prefix })
    }),
  ),
)

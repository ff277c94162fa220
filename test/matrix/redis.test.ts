import { randomUUID } from 'node:crypto'
import { redis } from '@trigger-hub/redis'
import { needs } from '../servers/needs.ts'
import { stories } from './stories.ts'

needs('redis', (url) => stories(() => redis(url, { prefix: `matrix-${randomUUID()}` })))

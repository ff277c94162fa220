import { prepareKafka, startKafka } from './kafka.ts'
import { prepareRabbitMq, startRabbitMq } from './rabbitmq.ts'
import { redis60, redis62, valkey } from './other-redises.ts'
import { prepareRedis, startRedis } from './redis.ts'
import type { Server } from './server.ts'

export interface Service {
  /** The environment variable that names a running one. */
  readonly variable: string
  /** Installs what `start` needs. */
  readonly prepare: () => unknown
  readonly start: () => Promise<Server>
}

/** The servers that tests want; beside the usual ones, other makes and ages of Redis. */
export const services = {
  redis: { variable: 'REDIS_URL', prepare: prepareRedis, start: () => startRedis() },
  rabbitmq: { variable: 'AMQP_URL', prepare: prepareRabbitMq, start: () => startRabbitMq() },
  kafka: { variable: 'KAFKA_BROKERS', prepare: prepareKafka, start: () => startKafka() },
  valkey: { variable: 'VALKEY_URL', prepare: valkey, start: () => startRedis({ program: valkey() }) },
  'redis-6.2': {
    variable: 'REDIS_6_2_URL',
    prepare: redis62,
    start: () => startRedis({ program: redis62() }),
  },
  'redis-6.0': {
    variable: 'REDIS_6_0_URL',
    prepare: redis60,
    start: () => startRedis({ program: redis60() }),
  },
} satisfies Record<string, Service>

/** What a hub may want to run on, and what is brought up when nobody says what. */
export const usual: readonly ServiceName[] = ['redis', 'rabbitmq', 'kafka']

export type ServiceName = keyof typeof services

export const isServiceName = (name: string): name is ServiceName => name in services

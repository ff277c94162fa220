import { prepareKafka, startKafka } from './kafka.ts'
import { prepareRabbitMq, startRabbitMq } from './rabbitmq.ts'
import { prepareRedis, startRedis } from './redis.ts'
import type { Server } from './server.ts'

export interface Service {
  /** The environment variable that names a running one. */
  readonly variable: string
  /** Installs what `start` needs. */
  readonly prepare: () => void
  readonly start: () => Promise<Server>
}

/** The servers that tests want. */
export const services = {
  redis: { variable: 'REDIS_URL', prepare: prepareRedis, start: () => startRedis() },
  rabbitmq: { variable: 'AMQP_URL', prepare: prepareRabbitMq, start: () => startRabbitMq() },
  kafka: { variable: 'KAFKA_BROKERS', prepare: prepareKafka, start: () => startKafka() },
} satisfies Record<string, Service>

export type ServiceName = keyof typeof services

export const isServiceName = (name: string): name is ServiceName => name in services

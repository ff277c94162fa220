export type { OpenConnection, SocketSettings } from './link.ts'
export type { RabbitMqOptions } from './options.ts'
export { rabbitmq } from './rabbitmq.ts'

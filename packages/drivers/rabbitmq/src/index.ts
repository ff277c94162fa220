export { rabbitmq, type OpenConnection, type RabbitMqOptions, type SocketSettings } from './rabbitmq.ts'

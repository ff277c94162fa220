import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, Partitioners, type Admin, type Message } from 'kafkajs'
import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { Hub } from './hub.ts'

/** A Kafka for the tests of one file, looked at with a client of its own, and the hubs on it. */
export class Broker {
  readonly client: Kafka
  readonly admin: Admin
  readonly url: string
  readonly #server: Server
  readonly #hubs: Hub[] = []

  static async start(config: Readonly<Record<string, number>> = {}): Promise<Broker> {
    // a group notices within a lease that a process is gone, and a lease is short here
    const server = await startKafka({ config: { 'group.min.session.timeout.ms': 100, ...config } })
    const broker = new Broker(server)
    await broker.admin.connect()
    return broker
  }

  private constructor(server: Server) {
    this.#server = server
    this.url = server.url
    this.client = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING })
    this.admin = this.client.admin()
  }

  hub(): Hub {
    const hub = new Hub(() => this.url)
    this.#hubs.push(hub)
    return hub
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hubs.map((hub) => hub.close()))
    await this.admin.disconnect()
    await this.#server.stop()
  }

  /** All records of a topic, read as any consumer reads them. */
  async recordsOf(topic: string): Promise<Message[]> {
    const ends = await this.admin.fetchTopicOffsets(topic)
    let left = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
    const records: Message[] = []
    const consumer = this.client.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve) => {
      if (left === 0) return resolve()
      void consumer.run({
        eachMessage: async ({ message }) => {
          records.push(message)
          if (--left === 0) resolve()
        },
      })
    })
    await consumer.disconnect()
    return records
  }

  async put(topic: string, messages: Message[]): Promise<void> {
    const producer = this.client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({ topic, messages })
    await producer.disconnect()
  }
}

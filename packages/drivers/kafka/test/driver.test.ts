import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverSuite } from '@trigger-hub/conformance'
import { embedded } from '@trigger-hub/embedded'
import { kafka } from '@trigger-hub/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { Sockets } from './sockets.ts'

jest.setTimeout(60_000)

needsOwn('kafka', () => {
  let server: Server
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trigger-hub-kafka-'))
    server = await startKafka({ config: { 'group.min.session.timeout.ms': 100 } })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  describe('kafka() as a driver', () =>
    driverSuite(
      { describe, it },
      async ({ name, clock, leaseMs, onFrozen }) => {
        const sockets = new Sockets()
        onFrozen((isFrozen) => sockets.freeze(isFrozen))
        const driver = kafka({
          client: new Kafka({
            brokers: [server.url],
            logLevel: logLevel.NOTHING,
            socketFactory: sockets.factory,
            retry: { initialRetryTime: 50, retries: 3 },
          }),
          store: embedded({ path: join(folder, `${name}.db`), lease: leaseMs }),
          prefix: name,
          partitions: 1, // one partition keeps the order of acceptance
          clock,
          lease: leaseMs,
        })
        await driver.inspect() // what it promises is known when the server was asked
        return driver
      },
      { time: 'real' },
    ))
})

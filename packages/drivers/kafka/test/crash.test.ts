import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { apartSuite } from '../../../../test/crash/apart.ts'
import { brokerPoints, pointsSuite } from '../../../../test/crash/points.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'

needsOwn('kafka', () =>
  needs('redis', (store) => {
    let server: Server
    const driver = { is: 'kafka' as const, url: '', store }
    beforeAll(async () => {
      server = await startKafka({ config: { 'group.min.session.timeout.ms': 100 } })
      driver.url = server.url
    })
    afterAll(() => server.stop())

    apartSuite({ driver })
    describe('a process', () => pointsSuite({ driver }, brokerPoints))
  }),
)

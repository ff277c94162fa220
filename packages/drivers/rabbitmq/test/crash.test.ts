import { apartSuite } from '../../../../test/crash/apart.ts'
import { brokerPoints, pointsSuite } from '../../../../test/crash/points.ts'
import { needs } from '../../../../test/servers/needs.ts'

needs('rabbitmq', (url) =>
  needs('redis', (store) => {
    const driver = { is: 'rabbitmq' as const, url, store }
    apartSuite({ driver })
    describe('a process', () => pointsSuite({ driver }, brokerPoints))
  }),
)

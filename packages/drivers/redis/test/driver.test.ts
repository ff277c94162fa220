import { driverSuite } from '@trigger-hub/conformance'
import { redis } from '@trigger-hub/redis'
import { needs } from '../../../../test/servers/needs.ts'

needs('redis', (url) => {
  describe('redis() as a driver', () =>
    driverSuite(
      { describe, it },
      async ({ name, clock, leaseMs }) => {
        const driver = redis(url, { prefix: name, clock, lease: leaseMs })
        await driver.inspect() // what it promises is known when the server was asked
        return driver
      },
      { time: 'real' },
    ))
})

import { driverSuite, storeSuite } from '@trigger-hub/conformance'
import { redis } from '@trigger-hub/redis'
import { apartSuite } from '../../../../test/crash/apart.ts'

/** What must hold on another server than the Redis of this machine. @param itself  how the report names it */
export function otherServerSuite(url: string, itself: RegExp): void {
  test('the report names it', async () => {
    const driver = redis(url)
    expect((await driver.inspect()).summary).toMatch(itself)
    await driver.close()
  })

  describe('redis() as a driver', () =>
    driverSuite(
      { describe, it },
      async ({ name: prefix, clock, leaseMs }) => {
        const driver = redis(url, { prefix, clock, lease: leaseMs })
        await driver.inspect() // what it promises is known when the server was asked
        return driver
      },
      { time: 'real' },
    ))

  describe('redis() as a store', () =>
    storeSuite(
      { describe, it },
      async ({ name: prefix, clock }) => {
        const store = redis(url, { prefix, clock })
        await store.inspect()
        return store
      },
      { time: 'real' },
    ))

  describe('a crash run', () => apartSuite({ driver: { is: 'redis', url } }))
}

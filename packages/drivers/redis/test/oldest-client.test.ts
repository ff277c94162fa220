import { driverSuite, storeSuite, type Runner } from '@trigger-hub/conformance'
import { redis } from '@trigger-hub/redis'
import { needs } from '../../../../test/servers/needs.ts'

jest.mock('ioredis', () => jest.requireActual<object>('ioredis5'))

/** What shows whether driver and store work at all. */
const basic = ['accepting an event', 'delivering it', 'dead letters', 'claiming a key', 'remembering a reply']
const basics: Runner = {
  describe: (name, body) => {
    if (basic.includes(name)) describe(name, body)
  },
  it,
}

needs('redis', (url) => {
  describe('redis() with the oldest ioredis that it takes', () => {
    driverSuite(
      basics,
      async ({ name, clock, leaseMs }) => {
        const driver = redis(url, { prefix: name, clock, lease: leaseMs })
        await driver.inspect()
        return driver
      },
      { time: 'real' },
    )
    storeSuite(basics, ({ name, clock }) => redis(url, { prefix: name, clock }), { time: 'real' })

    test('it is that one', () => {
      const { version } = jest.requireActual<{ version: string }>('ioredis5/package.json')
      const { peerDependencies } = jest.requireActual<{ peerDependencies: { ioredis: string } }>(
        '../package.json',
      )
      expect(peerDependencies.ioredis).toMatch(new RegExp(`^>=${version.replace(/\.0$/, '')} `))
    })
  })
})

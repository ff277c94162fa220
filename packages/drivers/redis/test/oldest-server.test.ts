import { TriggerHub } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { needs } from '../../../../test/servers/needs.ts'
import { otherServerSuite } from './other-server.ts'

needs('redis-6.2', (url) => {
  describe('on the oldest Redis that it takes', () => otherServerSuite(url, /^redis: Redis 6\.2\.\d+, /))
})

needs('redis-6.0', (url) => {
  test('a hub does not start on one that is too old, and says which one it needs', async () => {
    const hub = new TriggerHub({ driver: redis(url), log: () => undefined })
    await expect(hub.start()).rejects.toMatchObject({
      name: 'SetupError',
      code: 'ERR_DRIVER_UNUSABLE',
      message: expect.stringMatching(/is Redis 6\.0\.\d+; the driver needs Redis 6\.2 or later/) as string,
    })
    await hub.close()
  })
})

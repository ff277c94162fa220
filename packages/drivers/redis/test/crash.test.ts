import { startRedis } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { apartSuite } from '../../../../test/crash/apart.ts'
import { pointsSuite } from '../../../../test/crash/points.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'

needsOwn('redis', () => {
  let server: Server
  const driver = { is: 'redis' as const, url: '' }
  beforeAll(async () => {
    server = await startRedis()
    driver.url = server.url
  })
  afterAll(() => server.stop())

  apartSuite({ driver })
  describe('a process', () => pointsSuite({ driver }))
})

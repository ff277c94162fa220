import { startRedis } from '../../../../scripts/services/redis.ts'
import { outageSuite } from '../../../../test/crash/outage.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'

needsOwn('redis', () =>
  outageSuite({ start: () => startRedis(), driver: (url) => ({ is: 'redis', url }), kills: 3 }),
)

import { driverSuite } from '@trigger-hub/conformance'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { redis } from '@trigger-hub/redis'
import { needs } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'
import { wipe } from './wipe.ts'

const bots = ['mail', 'stock', 'stats']

needs('rabbitmq', (url) =>
  needs('redis', (redisUrl) => {
    const prefixes = new Set<string>()
    const proxies: Proxy[] = []
    afterEach(async () => {
      await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
      for (const prefix of prefixes) await wipe(url, prefix, bots)
      prefixes.clear()
    })

    describe('rabbitmq() as a driver', () =>
      driverSuite(
        { describe, it },
        async ({ name, clock, leaseMs, onFrozen }) => {
          prefixes.add(name)
          const proxy = await Proxy.to(Number(new URL(url).port))
          proxies.push(proxy)
          onFrozen((isFrozen) => (isFrozen ? proxy.stall() : proxy.fair()))
          const store = redis(redisUrl, { prefix: name, clock })
          const through = Object.assign(new URL(url), { port: String(proxy.port) }).href
          const driver = rabbitmq({ url: through, store, prefix: name, clock, lease: leaseMs })
          await driver.inspect() // what it promises is known when the server was asked
          return driver
        },
        { time: 'real' },
      ))
  }),
)

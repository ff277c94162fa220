import { startKafka } from '../../../../scripts/services/kafka.ts'
import { freePort } from '../../../../scripts/services/server.ts'
import { outageSuite } from '../../../../test/crash/outage.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'

needsOwn('kafka', () =>
  needs('redis', (store) => {
    let proxy: Proxy
    afterAll(() => proxy.close())

    outageSuite({
      async start() {
        const port = await freePort()
        proxy = await Proxy.to(port)
        // a client goes where the broker says that it is
        return startKafka({ port, config: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` } })
      },
      proxy: () => proxy,
      driver: (url) => ({ is: 'kafka', url, store }),
      kills: 1,
    })
  }),
)

import { startKafka } from '../../../../scripts/services/kafka.ts'
import { freePort } from '../../../../scripts/services/server.ts'
import { outageSuite } from '../../../../test/crash/outage.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'
import { accept, everything, Hub, work } from './hub.ts'

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

    describe('a connection that is lost in the middle of an answer', () => {
      /** Less than any answer has. */
      const half = 10
      let hub: Hub
      beforeEach(() => (hub = new Hub(() => `127.0.0.1:${proxy.port}`)))
      afterEach(() => hub.close())

      const isAccepted = (driver: ReturnType<Hub['driver']>) => () =>
        accept(driver).then(
          () => true,
          () => false,
        )

      test('does not keep later events from being accepted', async () => {
        const driver = hub.driver()
        await driver.declare(everything('mail'))
        await accept(driver)
        const cut = proxy.cutAfter(half)
        await isAccepted(driver)() // the answer is to this one
        await cut
        await eventually(isAccepted(driver))
      })

      test('does not keep a bot from running', async () => {
        const driver = hub.driver()
        await driver.declare(everything('mail'))
        const { runs } = await work(driver, 'mail')
        await accept(driver)
        await eventually(() => runs.length === 1)
        await proxy.cutAfter(half) // it asks for more all the time
        await eventually(isAccepted(driver))
        await eventually(() => runs.length > 1)
      })
    })
  }),
)

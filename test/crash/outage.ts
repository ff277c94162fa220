import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from '../../scripts/services/server.ts'
import { Proxy } from '../servers/proxy.ts'
import { Child, endAll } from './child.ts'
import type { DriverChoice } from './drivers.ts'
import { endsWell } from './ending.ts'
import { freshFolder, removeFolder } from './run.ts'
import { message, Sender, type Message } from './sender.ts'
import { Traffic } from './traffic.ts'

/** The app gives its driver 2 s to accept; the rest is for a busy machine. Who forgets a deadline waits far longer. */
const budgetMs = 5_000
const port$ = /(?<=:)\d+$/

export interface OutageOptions {
  readonly start: () => Promise<Server>
  /** The driver, with its server at this URL, which leads through a proxy. */
  readonly driver: (url: string) => DriverChoice
  /** How often the server is killed and started again. */
  readonly kills: number
  /** How long ago the server has to have made something for it to survive a kill. Default 0. */
  readonly freshMs?: number
  /** The proxy of which the server tells its clients, if it tells them where it is. Default: one for each test. */
  readonly proxy?: () => Proxy
}

/** What must hold while the server of a driver, or the network to it, is away. */
export function outageSuite({ start, driver, kills, freshMs = 0, proxy: known }: OutageOptions): void {
  jest.setTimeout(120_000)

  let server: Server
  let proxy: Proxy
  let folder: string
  let child: Child
  let sender: Sender
  let port = 0

  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    folder = freshFolder()
    proxy = known?.() ?? (await Proxy.to(Number(port$.exec(server.url)?.[0])))
    const url = server.url.replace(port$, String(proxy.port))
    child = new Child({ folder, role: 'both', leaseMs: 10_000, driver: driver(url) })
    sender = new Sender(folder, () => port)
    port = await child.start()
  })
  afterEach(async () => {
    sender.close()
    await endAll()
    if (known) proxy.fair()
    else await proxy.close()
    removeFolder(folder)
  })

  /** Nothing is lost, nothing ran twice, and the process has not died of an error that nobody caught. */
  async function allIsWell(events: number): Promise<void> {
    expect(await endsWell(child, folder)).toMatchObject({ acked: events, redelivered: 0 })
  }

  async function timed(one: Message) {
    const from = performance.now()
    const answer = await sender.post(one)
    return { ...answer, ms: performance.now() - from }
  }

  test('a server that is killed and started again is answered for with 503, and nothing is lost', async () => {
    await sender.deliver(message(3)) // one that is tried twice
    await child.quiet()
    await wait(freshMs)
    const traffic = new Traffic(sender, { from: 4 })
    for (let nth = 0; nth < kills; nth++) {
      await traffic.accepts(50)
      await server.kill('SIGKILL')
      await traffic.refuses(20)
      await server.restart()
    }
    await traffic.accepts(50)
    await traffic.end()
    // where nobody knows what became of an event, its sender is to come again when the claim on it is over
    expect([...traffic.refusals].filter((one) => !/^503 [12]$/.test(one))).toEqual([])
    expect(traffic.slowestMs).toBeLessThan(budgetMs)
    await allIsWell(1 + traffic.accepted)
  })

  test.each<[string, () => void, number[]?]>([
    ['is half-open', () => proxy.halfOpen()],
    ['loses the answers', () => proxy.deaf()],
    ['resets every connection', () => proxy.away()],
    ['is too slow', () => proxy.slow(1_500)],
    // which need not be the answer to the event, and can be asked for again in time
    ['breaks off in the middle of an answer', () => void proxy.cutAfter(20), [200, 503]],
  ])(
    'a network that %s is answered for with 503 in time, and when it is fair again all goes on',
    async (_, begin, possible = [503]) => {
      expect(await timed(message(1))).toMatchObject({ status: 200 })
      begin()
      const refused = await timed(message(2))
      expect(possible).toContain(refused.status)
      expect(refused.retryAfter).toBe(refused.status === 503 ? '1' : undefined)
      expect(refused.ms).toBeLessThan(budgetMs)
      proxy.fair()
      expect(await sender.deliver(message(2))).toMatchObject({ status: 200 })
      expect(await sender.deliver(message(3))).toMatchObject({ status: 200 })
      await allIsWell(3)
    },
  )
}

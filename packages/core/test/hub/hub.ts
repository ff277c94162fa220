import type { AddressInfo } from 'node:net'
import {
  TriggerHub,
  type Driver,
  type LogRecord,
  type Store,
  type TriggerHubOptions,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { hmac, standardWebhooks } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'

const secrets = {
  plain: 'correct horse battery',
  signed: `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`,
}

/** One source whose key is not signed, one whose key is. */
export const sources = {
  plain: hmac({ secret: secrets.plain }),
  signed: standardWebhooks({ secret: secrets.signed }),
}

export interface TestHub {
  hub: TriggerHub<typeof sources>
  driver: Driver & Store
  logged: LogRecord[]
  port: number
  /** Signs the body for a source and posts it. */
  post: (source: keyof typeof sources, body: unknown, id?: string) => Promise<Response>
}

const open: Pick<TriggerHub, 'close'>[] = []
const shut: (() => void)[] = []
afterEach(async () => {
  for (const open of shut.splice(0)) open()
  await Promise.all(open.splice(0).map((hub) => hub.close({ deadline: 100 })))
})

/** The hub, which is closed after the test. */
export function closedAfter<Hub extends Pick<TriggerHub, 'close'>>(hub: Hub): Hub {
  open.push(hub)
  return hub
}

/** A hub that listens on a free port of this machine; closed after the test. */
export async function listening(
  options: Partial<TriggerHubOptions<typeof sources>> = {},
  addBots: (hub: TriggerHub<typeof sources>) => unknown = () => undefined,
): Promise<TestHub> {
  const logged: LogRecord[] = []
  const driver = (options.driver ?? memory()) as Driver & Store
  const hub = new TriggerHub({
    allowVolatile: true,
    sources,
    log: (record) => logged.push(record),
    ...options,
    driver,
  })
  addBots(hub)
  closedAfter(hub)
  const server = await hub.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.address() as AddressInfo
  return {
    hub,
    driver,
    logged,
    port,
    post(source, body, id = 'msg_1') {
      const rawBody = Buffer.from(JSON.stringify(body))
      const headers = {
        'content-type': 'application/json',
        'x-idempotency-key': id,
        ...sign(sources[source], { rawBody, id, nowMs: Date.now() }),
      }
      return fetch(`http://127.0.0.1:${port}/${source}`, { method: 'POST', headers, body: rawBody })
    },
  }
}

/** A promise and its resolve; what waits for it goes on when the test is over. */
export function gate<T = void>() {
  let open!: (value: T) => void
  const opened = new Promise<T>((resolve) => (open = resolve))
  shut.push(() => open(undefined as T))
  return { open, opened }
}

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { RequestListener } from 'node:http'
import { fetchText, type Reach } from '../../src/verify/fetch-text.ts'
import type { Fetch } from '@trigger-hub/core/verify'

const pem = (name: string): string => readFileSync(join(__dirname, 'tls', name), 'utf8')
const [cert, key] = [pem('certificate.pem'), pem('key.pem')]

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** The hosts of senders, played by one server of this machine: what it was asked, and a fetch that reaches it. */
export async function hosts(answer: RequestListener) {
  const asked: string[] = []
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(`${request.method} https://${request.headers.host?.replace(/:\d+$/, '')}${request.url}`)
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const reach: Reach = {
    resolve: ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as Reach['resolve'],
    allows: () => true,
    port,
    ca: cert,
  }
  const fetch: Fetch = (url, options) => fetchText(url, options, reach)
  return { asked, fetch, reach }
}

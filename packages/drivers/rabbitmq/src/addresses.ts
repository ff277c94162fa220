import { connect } from 'amqplib'
import type { OpenConnection } from './link.ts'

/**
 * Opens connections to the first of these addresses at which a server answers. Each time it begins with the one that
 * answered last, or with the one after that if its connection has ended.
 * @param heartbeatS  seconds, of an address that does not say
 */
export function firstOf(addresses: readonly string[], heartbeatS: number): OpenConnection {
  const urls = addresses.map((address) => {
    const url = new URL(address)
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatS))
    return url.href
  })
  let first = 0
  return async (socket) => {
    let failure: unknown
    for (const url of [...urls.slice(first), ...urls.slice(0, first)]) {
      try {
        const connection = await connect(url, { ...socket })
        first = urls.indexOf(url)
        const next = (first + 1) % urls.length
        connection.once('close', () => (first = next))
        return connection
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
}

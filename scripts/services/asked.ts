import { connect } from 'node:net'

const patienceMs = 1_000

/**
 * Sends bytes to a port of 127.0.0.1 and resolves to the first ones that come back; undefined when none do. Enough to
 * ask a server whether it speaks its protocol, without a client of it.
 */
export function asked(port: number, bytes: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: patienceMs }, () => socket.write(bytes))
    const answer = (data?: Buffer): void => {
      socket.destroy()
      resolve(data)
    }
    socket.once('data', answer)
    socket.once('error', () => answer())
    socket.once('close', () => answer())
    socket.once('timeout', () => answer())
  })
}

import { connect, type Socket } from 'node:net'

const connections = 64

/**
 * Sends a request over and over on 64 connections, each as soon as the last one was answered.
 * @returns how many were answered with 200 in the time
 */
export async function load(port: number, request: Buffer, ms: number): Promise<number> {
  let answered = 0
  const endsAt = performance.now() + ms
  const sockets = await Promise.all(Array.from({ length: connections }, () => connected(port)))
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          socket.on('error', reject)
          socket.on('data', (data) => {
            // the replies have no body and fit into one piece
            if (!data.toString('latin1', 0, 12).endsWith(' 200')) return reject(new Error(data.toString()))
            answered++
            if (performance.now() < endsAt) socket.write(request)
            else socket.end(resolve)
          })
          socket.write(request)
        }),
    ),
  )
  return answered
}

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })

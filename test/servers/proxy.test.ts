import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { Proxy } from './proxy.ts'

let echo: Server
let heard: string
let proxy: Proxy
const clients: Socket[] = []

beforeEach(async () => {
  heard = ''
  echo = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      heard += data.toString()
      socket.write(data)
    })
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await Proxy.to((echo.address() as AddressInfo).port)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.close()
  echo.close()
})

/** A connection, and all that it gets back. */
async function connected(): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1')
  clients.push(socket)
  let text = ''
  socket.on('data', (data) => (text += data.toString()))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, text: () => text }
}

test('carries bytes both ways in fair weather', async () => {
  const { socket, text } = await connected()
  socket.write('hello')
  await eventually(() => text() === 'hello')
})

test('delays them when it is slow', async () => {
  const { socket, text } = await connected()
  proxy.slow(100)
  const from = performance.now()
  socket.write('hello')
  await eventually(() => text() === 'hello')
  expect(performance.now() - from).toBeGreaterThanOrEqual(195)
})

test('does not let bytes overtake those that it has slowed down', async () => {
  const { socket, text } = await connected()
  proxy.slow(100)
  socket.write('hel')
  await eventually(() => proxy.isSlowing)
  proxy.fair()
  socket.write('lo')
  await eventually(() => text().length === 5)
  expect(text()).toBe('hello')
})

test('keeps everything back while it is stalled, and carries it when it is fair again', async () => {
  const { socket, text } = await connected()
  proxy.stall()
  socket.write('hel')
  await wait(50)
  socket.write('lo')
  await wait(50)
  expect(heard).toBe('')
  proxy.fair()
  await eventually(() => text() === 'hello')
})

test('keeps answers alone back', async () => {
  const { socket, text } = await connected()
  proxy.stall('answers')
  socket.write('hello')
  await eventually(() => heard === 'hello')
  await wait(50)
  expect(text()).toBe('')
  proxy.fair()
  await eventually(() => text() === 'hello')
})

test('swallows everything when it is half-open, and such a connection stays dead', async () => {
  const old = await connected()
  proxy.halfOpen()
  old.socket.write('lost')
  await wait(50)
  proxy.fair()
  old.socket.write('lost as well')
  const fresh = await connected()
  fresh.socket.write('hello')
  await eventually(() => fresh.text() === 'hello')
  expect([heard, old.text(), old.socket.destroyed]).toEqual(['hello', '', false])
})

test('lets the server hear and loses its answers when it is deaf', async () => {
  const { socket, text } = await connected()
  proxy.deaf()
  socket.write('hello')
  await eventually(() => heard === 'hello')
  await wait(50)
  expect(text()).toBe('')
})

test('resets old and new connections when it is away', async () => {
  const { socket } = await connected()
  proxy.away()
  await eventually(() => socket.destroyed)
  const another = connect(proxy.port, '127.0.0.1').on('error', () => undefined)
  clients.push(another)
  await eventually(() => another.destroyed)
})

test('cuts in the middle of an answer', async () => {
  const { socket, text } = await connected()
  const cut = proxy.cutAfter(3)
  socket.write('hello')
  await cut
  await eventually(() => socket.destroyed)
  expect([heard, text()]).toEqual(['hello', 'hel'])
})

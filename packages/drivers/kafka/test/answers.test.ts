import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { eventually } from '../../../../test/eventually.ts'
import { inWholeAnswers } from '../src/answers.ts'

const ends: (() => void)[] = []
afterEach(() => ends.splice(0).forEach((end) => end()))

const answer = (text: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, Buffer.from(text)])
}

/** A broker that says what it is told to, and what a client of it hears. */
async function conversation() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = inWholeAnswers(connect((server.address() as AddressInfo).port, '127.0.0.1')).setNoDelay()
  const [broker] = (await once(server, 'connection')) as [Socket]
  ends.push(
    () => socket.destroy(),
    () => server.close(),
  )
  const heard: Buffer[] = []
  socket.on('data', (data) => heard.push(data))
  /** Says it, and waits until the client has read it. */
  const say = async (bytes: Buffer): Promise<void> => {
    const until = socket.bytesRead + bytes.length
    broker.write(bytes)
    await eventually(() => socket.bytesRead === until)
  }
  return { say, heard: () => Buffer.concat(heard).toString(), pieces: heard }
}

test('an answer that comes in pieces is heard when it is whole', async () => {
  const { say, heard, pieces } = await conversation()
  const one = answer('hello, whoever you are')
  for (const [from, to] of [
    [0, 2],
    [2, 4],
    [4, 10],
    [10, 25],
  ])
    await say(one.subarray(from, to))
  expect(heard()).toBe('')
  await say(one.subarray(25))
  await eventually(() => pieces.length > 0)
  expect(pieces).toEqual([one])
})

test('of several answers in one piece the last one is kept back until it is whole', async () => {
  const { say, heard } = await conversation()
  const [one, empty, other] = [answer('one'), answer(''), answer('other')]
  const all = Buffer.concat([one, empty, other])
  await say(all.subarray(0, all.length - 2))
  await eventually(() => heard() === Buffer.concat([one, empty]).toString())
  await say(all.subarray(all.length - 2))
  await eventually(() => heard() === all.toString())
  await say(one)
  await eventually(() => heard() === Buffer.concat([all, one]).toString())
})

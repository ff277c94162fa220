import { Readable } from 'node:stream'
import {
  RequestHeaders,
  enqueue,
  respond,
  verifySignature,
  type LogRecord,
  type Stage,
} from '@trigger-hub/core'
import { hmac } from '@trigger-hub/core/sources'

async function answered(stage: Stage) {
  const logged: LogRecord[] = []
  const request = {
    method: 'POST',
    url: '/hooks',
    headers: new RequestHeaders([]),
    stream: Readable.from([Buffer.from('{}')]),
    parsedBody: undefined,
    webhook: { verified: false },
  }
  const log = (record: LogRecord) => void logged.push(record)
  const { status } = await respond(stage, request, async () => ({ status: 200, headers: {} }), { log })
  return { status, logged }
}

test('says in the log that a route enqueues what nothing has verified: all its requests are answered 401', async () => {
  const { status, logged } = await answered(enqueue(() => undefined))
  expect(status).toBe(401)
  expect(logged).toEqual([
    {
      level: 'warn',
      code: 'ERR_SIGNATURE_MISSING',
      message: expect.stringContaining('put verifySignature(…) before enqueue(…)') as string,
    },
  ])
})

test('logs nothing about a request that is not signed: anybody could fill the log', async () => {
  const { status, logged } = await answered(verifySignature(hmac({ secret: 'correct horse battery' })))
  expect([status, logged]).toEqual([401, []])
})

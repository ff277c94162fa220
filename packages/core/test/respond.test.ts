import { Readable } from 'node:stream'
import {
  RequestHeaders,
  WebhookError,
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
  const { status, body } = await respond(stage, request, async () => ({ status: 200, headers: {} }), { log })
  return { status, logged, body: JSON.parse(String(body)) as unknown }
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

test('says in the log alone what was wrong with the place where an event should have gone', async () => {
  const stage: Stage = () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.7:9092')
    throw new WebhookError('ERR_NOT_ACCEPTED', 'The function given to enqueue(…) rejected.', { cause })
  }
  const { logged, body } = await answered(stage)
  expect(logged.map(({ message }) => message)).toEqual([
    'The function given to enqueue(…) rejected. Cause: Error: connect ECONNREFUSED 10.0.0.7:9092',
  ])
  expect(body).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    code: 'ERR_NOT_ACCEPTED',
  })
})

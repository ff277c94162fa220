import { Readable } from 'node:stream'
import {
  RequestHeaders,
  WebhookError,
  enqueue,
  respond,
  systemClock,
  verifySignature,
  type LogRecord,
  type Stage,
} from '@trigger-hub/core'
import { hmac } from '@trigger-hub/core/sources'

const source = hmac({ secret: 'correct horse battery' })

async function answered(stage: Stage, headers: Record<string, string> = {}, bytes = Buffer.from('{}')) {
  const logged: LogRecord[] = []
  const request = {
    method: 'POST',
    url: '/hooks',
    headers: new RequestHeaders(Object.entries(headers).flat()),
    stream: Readable.from([bytes]),
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

test('says in the log why a request is refused, and what to look at', async () => {
  const { status, logged } = await answered(verifySignature(source, { name: 'shop' }), {
    'x-signature': '0'.repeat(64),
  })
  expect([status, logged]).toEqual([
    401,
    [
      {
        level: 'warn',
        code: 'ERR_SIGNATURE_MISMATCH',
        message: expect.stringMatching(/^Source "shop": .*Compare it with/),
      },
    ],
  ])
})

test('says so once a minute for each code: anybody could fill the log', async () => {
  let now = Date.now()
  const stage = verifySignature(source, { clock: { ...systemClock, now: () => now } })
  const codes = async (headers = {}) => (await answered(stage, headers)).logged.map(({ code }) => code)
  expect(await codes()).toEqual(['ERR_SIGNATURE_MISSING'])
  expect(await codes()).toEqual([])
  expect(await codes({ 'x-signature': '0'.repeat(64) })).toEqual(['ERR_SIGNATURE_MISMATCH'])
  now += 59_999
  expect(await codes()).toEqual([])
  now += 1
  expect(await codes()).toEqual(['ERR_SIGNATURE_MISSING'])
})

test('looks for no reason in a large body, which would take as long', async () => {
  const headers = { 'x-signature': '0'.repeat(64) }
  const { logged } = await answered(verifySignature(source), headers, Buffer.alloc(16_385))
  expect(logged.map(({ message }) => message)).toEqual([
    'Source "hmac": No configured secret matches the signature.',
  ])
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

import assert from 'node:assert/strict'
import type { Cases } from '../runner.ts'
import type { Route } from './app.ts'
import { problem, refusal } from './send.ts'
import { senders, signed, type AdapterTrial } from './trial.ts'

const order = '{"id":"evt_1","type":"order.paid"}'
const source = senders.stripe
const verify = { is: 'verifySignature', source } as const

/** A route at `/hook` that answers what it sees. */
const showing = (parts: Route['parts']): Route => ({
  path: '/hook',
  parts,
  handler: ({ body, webhook }) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      body,
      raw: webhook?.rawBody?.toString(),
      verified: webhook?.verified,
      source: webhook?.source,
      key: webhook?.key,
      type: webhook?.event?.type,
    }),
  }),
})

/** The parts, each alone and together. */
export const parts: Cases<AdapterTrial> = {
  'rawBody keeps the bytes for the route': async (trial) => {
    const post = await trial.serve({ routes: [showing([{ is: 'rawBody' }])] })
    const got = await post('/hook', { headers: { 'content-type': 'text/plain' }, body: 'as it is' })
    assert.deepEqual(JSON.parse(got.body.toString()), { raw: 'as it is', verified: false })
  },

  'rawBody twice is harmless': async (trial) => {
    const post = await trial.serve({ routes: [showing([{ is: 'rawBody' }, { is: 'rawBody' }])] })
    assert.equal((await post('/hook', { body: 'x' })).status, 200)
  },

  'rawBody refuses a body over its limit': async (trial) => {
    const post = await trial.serve({ routes: [showing([{ is: 'rawBody', options: { limit: 10 } }])] })
    assert.deepEqual(
      problem(await post('/hook', { body: 'x'.repeat(11) })),
      refusal(413, 'ERR_BODY_TOO_LARGE'),
    )
  },

  'verifySignature shows the route the event and its payload': async (trial) => {
    const post = await trial.serve({ routes: [showing([verify])] })
    const got = await post('/hook', signed('stripe', order))
    assert.deepEqual(JSON.parse(got.body.toString()), {
      body: { id: 'evt_1', type: 'order.paid' },
      raw: order,
      verified: true,
      source: 'stripe',
      key: 'evt_1',
      type: 'order.paid',
    })
  },

  'verifySignature takes a name for the source': async (trial) => {
    const post = await trial.serve({ routes: [showing([{ ...verify, options: { name: 'shop' } }])] })
    const got = await post('/hook', signed('stripe', order))
    assert.equal((JSON.parse(got.body.toString()) as { source: string }).source, 'shop')
  },

  'a parser behind verifySignature finds nothing left to do': async (trial) => {
    const post = await trial.serve({ routes: [showing([verify, { is: 'json' }])] })
    const got = await post('/hook', signed('stripe', order))
    assert.deepEqual((JSON.parse(got.body.toString()) as { body: unknown }).body, {
      id: 'evt_1',
      type: 'order.paid',
    })
  },

  'verifySignature refuses before the route runs': async (trial) => {
    let ran = false
    const handler = () => ((ran = true), { status: 200 })
    const post = await trial.serve({ routes: [{ path: '/hook', parts: [verify], handler }] })
    assert.deepEqual(problem(await post('/hook', { body: order })), refusal(401, 'ERR_UNAUTHORIZED'))
    assert.equal(ran, false)
  },

  'verifySignature says when a parser was first': async (trial) => {
    const post = await trial.serve({ routes: [showing([{ is: 'json' }, verify])] })
    assert.deepEqual(problem(await post('/hook', signed('stripe', order))), refusal(500, 'ERR_BODY_CONSUMED'))
  },

  "a refusal reaches the app's own error handling if told so": async (trial) => {
    const post = await trial.serve({ routes: [showing([{ ...verify, options: { onReject: 'next' } }])] })
    const got = await post('/hook', { body: order })
    assert.equal(got.status, 401)
  },

  'errors of a route behind verifySignature stay its own': async (trial) => {
    const handler = () => Promise.reject(new Error('boom'))
    const post = await trial.serve({ routes: [{ path: '/hook', parts: [verify], handler }] })
    const got = await post('/hook', signed('stripe', order))
    assert.deepEqual([got.status, got.body.toString()], [500, 'app: boom'])
  },

  'enqueue answers 200 when the function has resolved': async (trial) => {
    const published: unknown[] = []
    const target = async (event: { type: string }) => void published.push(event.type)
    const post = await trial.serve({
      routes: [{ path: '/hook', parts: [verify, { is: 'enqueue', target }] }],
    })
    const got = await post('/hook', signed('stripe', order))
    assert.deepEqual([got.status, got.body.length, published], [200, 0, ['order.paid']])
    assert.match(got.headers['trigger-hub-event'] ?? '', /^[\w-]{36}$/)
  },

  'enqueue answers 503 when the function rejects': async (trial) => {
    const target = () => Promise.reject(new Error('the queue is away'))
    const post = await trial.serve({
      routes: [{ path: '/hook', parts: [verify, { is: 'enqueue', target }] }],
    })
    const got = await post('/hook', signed('stripe', order))
    assert.deepEqual(problem(got), refusal(503, 'ERR_NOT_ACCEPTED'))
    assert.equal(got.headers['retry-after'], '1')
    assert.equal(got.body.toString().includes('the queue is away'), false)
  },

  'enqueue hands the event to a hub, which recognises repeats': async (trial) => {
    const hub = await trial.hub()
    const post = await trial.serve({
      routes: [{ path: '/hook', parts: [verify, { is: 'enqueue', target: hub }] }],
    })
    const request = signed('stripe', order)
    const got = [await post('/hook', request), await post('/hook', request)]
    assert.deepEqual(
      got.map(({ status, headers }) => [status, headers['trigger-hub-duplicate']]),
      [
        [200, undefined],
        [200, '?1'],
      ],
    )
    assert.equal((await trial.sees(1))[0]?.source, 'stripe')
  },

  'enqueue refuses what nothing has verified': async (trial) => {
    const published: unknown[] = []
    const target = (event: unknown) => void published.push(event)
    const post = await trial.serve({ routes: [{ path: '/hook', parts: [{ is: 'enqueue', target }] }] })
    assert.deepEqual(problem(await post('/hook', signed('stripe', order))), refusal(401, 'ERR_UNAUTHORIZED'))
    assert.deepEqual(published, [])
  },
}

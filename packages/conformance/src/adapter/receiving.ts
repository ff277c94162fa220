import assert from 'node:assert/strict'
import { DriverUnavailableError } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { Cases } from '../runner.ts'
import { problem, refusal } from './send.ts'
import { pause, senders, signed, type AdapterTrial, type Sender } from './trial.ts'

const order = '{"id":"evt_1","type":"order.paid","action":"paid","n":1.0}'
const ofEverySender = (
  run: (trial: AdapterTrial, sender: Sender) => Promise<void>,
  name: string,
): Cases<AdapterTrial> =>
  Object.fromEntries(
    (Object.keys(senders) as Sender[]).map((sender) => [
      `${name}: ${sender}`,
      (trial: AdapterTrial) => run(trial, sender),
    ]),
  )

/** The drop-in: requests of senders, and what becomes of them. */
export const receiving: Cases<AdapterTrial> = {
  ...ofEverySender(async (trial, sender) => {
    const post = await trial.receiving()
    const got = await post(`/webhooks/${sender}`, signed(sender, order))
    assert.deepEqual([got.status, got.body.length], [200, 0])
    assert.match(got.headers['trigger-hub-event'] ?? '', /^[\w-]{36}$/)
    assert.equal(got.headers['trigger-hub-duplicate'], undefined)
    const [event] = await trial.sees(1)
    assert.equal(event?.source, sender)
    assert.deepEqual(event.data, JSON.parse(order))
    assert.deepEqual(event.rawBody, Buffer.from(order))
    assert.equal(event.id, got.headers['trigger-hub-event'])
  }, 'accepts what the sender has signed and hands it to the bot'),

  'answers a repeat with 200, the first id and a mark, and runs no bot': async (trial) => {
    const post = await trial.receiving()
    const request = signed('standard', order)
    const first = await post('/webhooks/standard', request)
    const repeat = await post('/webhooks/standard', request)
    assert.deepEqual(
      [repeat.status, repeat.headers['trigger-hub-duplicate'], repeat.body.length],
      [200, '?1', 0],
    )
    assert.equal(repeat.headers['trigger-hub-event'], first.headers['trigger-hub-event'])
    await post('/webhooks/standard', signed('standard', order, { id: 'msg_2' }))
    assert.equal((await trial.sees(2)).length, 2)
  },

  'accepts one of thirty equal requests at once': async (trial) => {
    const post = await trial.receiving()
    const request = signed('standard', order)
    const got = await Promise.all(Array.from({ length: 30 }, () => post('/webhooks/standard', request)))
    assert.deepEqual(new Set(got.map(({ status }) => status)), new Set([200]))
    assert.equal(got.filter(({ headers }) => headers['trigger-hub-duplicate'] === undefined).length, 1)
    await trial.sees(1)
    await pause(20)
    assert.equal(trial.seen.length, 1)
  },

  'keeps a reused key with another body in quarantine and answers 200': async (trial) => {
    const post = await trial.receiving()
    await post('/webhooks/standard', signed('standard', '{"amount":1}'))
    assert.equal((await post('/webhooks/standard', signed('standard', '{"amount":2}'))).status, 200)
    assert.deepEqual(
      trial.logged.map(({ code }) => code),
      ['WARN_KEY_REUSED'],
    )
  },

  'answers 422 to a reused key if told so': async (trial) => {
    const post = await trial.receiving({ onKeyReuse: 'reject' })
    await post('/webhooks/standard', signed('standard', '{"amount":1}'))
    const got = await post('/webhooks/standard', signed('standard', '{"amount":2}'))
    assert.deepEqual(problem(got), refusal(422, 'ERR_KEY_REUSED'))
  },

  'marks the same bytes under another unsigned key': async (trial) => {
    const post = await trial.receiving()
    for (const key of ['a', 'b']) {
      const { headers, body } = signed('plain', order)
      await post('/webhooks/plain', { headers: { ...headers, 'x-idempotency-key': key }, body })
    }
    assert.deepEqual(
      (await trial.sees(2)).map(({ marks }) => marks),
      [undefined, ['replay-suspected']],
    )
  },

  'answers with the status of the options': async (trial) => {
    const post = await trial.receiving({ ackStatus: 202 })
    assert.equal((await post('/webhooks/plain', signed('plain', order))).status, 202)
  },

  "answers with the bot's value where the sender waits for it, and gives repeats the same": async (trial) => {
    const post = await trial.receiving({ ack: 'sync' }, ({ type }) => ({ seen: type }))
    const request = signed('stripe', order)
    const got = [await post('/webhooks/stripe', request), await post('/webhooks/stripe', request)]
    assert.deepEqual(
      got.map(({ status, body }) => [status, body.toString()]),
      [
        [200, '{"seen":"order.paid"}'],
        [200, '{"seen":"order.paid"}'],
      ],
    )
    assert.deepEqual(
      got.map(({ headers }) => headers['content-type']),
      ['application/json', 'application/json'],
    )
    assert.deepEqual(
      got.map(({ headers }) => headers['trigger-hub-duplicate']),
      [undefined, '?1'],
    )
    assert.equal(trial.seen.length, 1)
  },

  'answers 202 where the sender waits and the bot fails': async (trial) => {
    const post = await trial.receiving({ ack: 'sync' }, () => Promise.reject(new Error('no')))
    const got = await post('/webhooks/stripe', signed('stripe', order))
    assert.deepEqual([got.status, got.body.length], [202, 0])
  },

  'answers 503 with retry-after while the driver is out of reach': async (trial) => {
    const driver = Object.assign(memory(), {
      accept: () => Promise.reject(new DriverUnavailableError('memory', 'off.')),
    })
    const post = await trial.receiving({ driver })
    const got = await post('/webhooks/plain', signed('plain', order))
    assert.deepEqual(problem(got), refusal(503, 'ERR_DRIVER_UNAVAILABLE'))
    assert.equal(got.headers['retry-after'], '1')
  },

  'answers 503 with retry-after when the hub closes': async (trial) => {
    const hub = await trial.hub()
    const post = await trial.serve({ hubs: { '/webhooks': hub } })
    await hub.close()
    const got = await post('/webhooks/plain', signed('plain', order))
    assert.deepEqual(problem(got), refusal(503, 'ERR_CLOSING'))
    assert.equal(got.headers['retry-after'], '1')
  },

  'serves two hubs in one app, each with its own sources': async (trial) => {
    const [one, two] = [await trial.hub(), await trial.hub()]
    const post = await trial.serve({ hubs: { '/one': one, '/two': two } })
    const request = signed('standard', order)
    const got = [await post('/one/standard', request), await post('/two/standard', request)]
    assert.deepEqual(
      got.map(({ status, headers }) => [status, headers['trigger-hub-duplicate']]),
      [
        [200, undefined],
        [200, undefined],
      ],
    )
    await trial.sees(2)
  },

  'serves one hub at two places as one': async (trial) => {
    const hub = await trial.hub()
    const post = await trial.serve({ hubs: { '/one': hub, '/two': hub } })
    const request = signed('standard', order)
    await post('/one/standard', request)
    assert.equal((await post('/two/standard', request)).headers['trigger-hub-duplicate'], '?1')
  },
}

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { memory } from '@trigger-hub/core/memory'
import type { Cases } from '../runner.ts'
import type { Answer, Part } from './app.ts'
import type { Got, Sent } from './send.ts'
import { eventually, senders, signed, type AdapterTrial, type Post } from './trial.ts'

const order = JSON.stringify({ id: 'evt_1', type: 'order.paid', padding: 'x'.repeat(2_000) })
const chunked = { 'transfer-encoding': 'chunked' }

/** A door that the case opens. */
function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

/** Sends, leaves once `begun`, and waits until the app has noticed. */
async function leave(post: Post, path: string, sent: Sent, begun: Promise<void>): Promise<void> {
  const leaving = new AbortController()
  const left = post(path, { ...sent, signal: leaving.signal })
  await Promise.race([begun, left]) // an answer before its time fails below
  leaving.abort()
  await assert.rejects(left)
  await post('/nowhere', {}) // the end of the connection comes before this request does
}

const guard = (trial: AdapterTrial): Part => ({
  is: 'idempotency',
  options: { store: memory(), replayLimit: 5_000, log: (record) => void trial.logged.push(record) },
})

const call: Sent = {
  headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
  body: JSON.stringify({ amount: 1, padding: 'x'.repeat(2_000) }),
}

const until409IsOver = (post: Post): Promise<Got> =>
  eventually(
    () => post('/charges', call),
    ({ status }) => status !== 409,
    'The key is not settled.',
  )

const text = { 'content-type': 'text/plain' }
const answers: Record<string, (run: number) => Answer> = {
  text: (run) => ({ status: 201, headers: text, body: `run ${run}` }),
  bytes: (run) => ({ status: 200, headers: { 'content-type': 'image/png' }, body: Buffer.from([255, run]) }),
  'a stream': (run) => ({ status: 200, headers: text, body: Readable.from(['run ', String(run)]) }),
  nothing: () => ({ status: 204 }),
}
const large: Record<string, () => Answer> = {
  text: () => ({ status: 200, headers: text, body: 'x'.repeat(5_001) }),
  'a stream': () => ({
    status: 200,
    headers: text,
    body: Readable.from(Array.from({ length: 60 }, () => Buffer.alloc(100, 'x'))),
  }),
}

/** A guarded route that is behind a door. */
async function behind(trial: AdapterTrial, answer: (run: number) => Answer | Promise<Answer>) {
  let runs = 0
  const [begun, door] = [gate(), gate()]
  const post = await trial.serve({
    routes: [
      {
        path: '/charges',
        parts: [{ is: 'json' }, guard(trial)],
        handler: async () => {
          runs++
          begun.open()
          await door.opened
          return answer(runs)
        },
      },
    ],
  })
  return { post, begun: begun.opened, open: door.open, runs: () => runs }
}

/** Senders and callers that are gone before they have an answer. */
export const leaving: Cases<AdapterTrial> = {
  ...Object.fromEntries(
    Object.entries({ '': {}, ' that does not tell its length': chunked }).flatMap(([kind, how]) => [
      [
        `takes nothing from a sender that leaves in the middle of a body${kind}`,
        async (trial: AdapterTrial) => {
          const post = await trial.receiving()
          const request = signed('standard', order)
          await post.half('/webhooks/standard', { ...request, headers: { ...request.headers, ...how } })
          const got = await post('/webhooks/standard', request)
          assert.deepEqual([got.status, got.headers['trigger-hub-duplicate']], [200, undefined])
          assert.equal((await trial.sees(1)).length, 1)
          assert.deepEqual(trial.logged, [])
        },
      ],
      [
        `runs no route for a caller that leaves in the middle of a body${kind}`,
        async (trial: AdapterTrial) => {
          const ran: string[] = []
          const handler = (path: string) => () => (ran.push(path), { status: 200 })
          const verify: Part = { is: 'verifySignature', source: senders.standard }
          const parts: Record<string, Part[]> = {
            '/signed': [verify],
            '/guarded': [guard(trial)],
            '/parsed': [{ is: 'json' }, guard(trial)],
          }
          const routes = Object.entries(parts).map(([path, of]) => ({
            path,
            parts: of,
            handler: handler(path),
          }))
          const post = await trial.serve({ routes })
          for (const path of Object.keys(parts)) {
            const { headers, body } = signed('standard', order)
            const keyed = { headers: { ...headers, 'idempotency-key': 'k' }, body }
            await post.half(path, { ...keyed, headers: { ...keyed.headers, ...how } })
            const got = await post(path, keyed)
            assert.deepEqual([got.status, got.headers['idempotency-replayed']], [200, undefined])
          }
          assert.deepEqual(ran, Object.keys(parts))
        },
      ],
    ]),
  ),

  ...Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      `settles the key of a caller that leaves while the route runs, and repeats get its reply: ${name}`,
      async (trial: AdapterTrial) => {
        const { post, begun, open, runs } = await behind(trial, answer)
        await leave(post, '/charges', call, begun)
        assert.equal((await post('/charges', call)).status, 409)
        open()
        const repeat = await until409IsOver(post)
        assert.deepEqual([repeat.status, repeat.headers['idempotency-replayed']], [answer(1).status, 'true'])
        const { body } = answer(1)
        const expected = body instanceof Readable ? 'run 1' : (body ?? '')
        assert.deepEqual([repeat.body, runs()], [Buffer.from(expected), 1])
      },
    ]),
  ),

  ...Object.fromEntries(
    Object.entries(large).map(([name, answer]) => [
      `settles the key of a caller that leaves before a reply that is too large to keep: ${name}`,
      async (trial: AdapterTrial) => {
        const { post, begun, open, runs } = await behind(trial, answer)
        await leave(post, '/charges', call, begun)
        open()
        const repeat = await until409IsOver(post)
        assert.deepEqual([repeat.status, repeat.headers['idempotency-reply'], runs()], [200, 'not-kept', 1])
      },
    ]),
  ),

  'frees the key of a caller that leaves before the route throws': async (trial) => {
    const { post, begun, open, runs } = await behind(trial, (run) => {
      if (run === 1) throw new Error('boom')
      return { status: 200, body: 'ok' }
    })
    await leave(post, '/charges', call, begun)
    open()
    assert.equal((await until409IsOver(post)).body.toString(), 'ok')
    assert.equal(runs(), 2)
  },

  'keeps an event whose sender leaves while it is being stored': async (trial) => {
    const [begun, door] = [gate(), gate()]
    const driver = memory()
    const accept = driver.accept.bind(driver)
    driver.accept = async (...args) => {
      begun.open()
      await door.opened
      return accept(...args)
    }
    const post = await trial.receiving({ driver, acceptTimeout: '10s' })
    const request = signed('standard', order)
    await leave(post, '/webhooks/standard', request, begun.opened)
    door.open()
    await trial.sees(1)
    assert.equal((await post('/webhooks/standard', request)).headers['trigger-hub-duplicate'], '?1')
    assert.deepEqual([trial.seen.length, trial.logged], [1, []])
  },

  'keeps what the bot returns for a sender that leaves while it waits for that': async (trial) => {
    const [begun, door] = [gate(), gate()]
    const post = await trial.receiving({ ack: 'sync' }, async () => {
      begun.open()
      await door.opened
      return { done: true }
    })
    const request = signed('stripe', order)
    await leave(post, '/webhooks/stripe', request, begun.opened)
    door.open()
    const repeat = await post('/webhooks/stripe', request)
    assert.deepEqual([repeat.status, repeat.body.toString()], [200, '{"done":true}'])
    assert.equal(trial.seen.length, 1)
  },
}

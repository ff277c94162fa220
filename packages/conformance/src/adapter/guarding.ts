import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { DriverUnavailableError, type Store } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { Cases } from '../runner.ts'
import type { Answer } from './app.ts'
import { guarded, json } from './guarded.ts'
import { problem, refusal } from './send.ts'
import { eventually, pause, type AdapterTrial } from './trial.ts'

const answers: Record<string, (run: number) => Answer> = {
  JSON: (run) => json({ run }, 201),
  text: (run) => ({
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: `run ${run}`,
  }),
  bytes: (run) => ({
    status: 200,
    headers: { 'content-type': 'image/png' },
    body: Buffer.from([0xff, 0x00, run]),
  }),
  'a stream': (run) => ({
    status: 200,
    headers: { 'content-type': 'text/csv; charset=utf-8' },
    body: Readable.from([Buffer.from('a,'), Buffer.from(String(run))]),
  }),
  'an empty body': () => ({ status: 200 }),
  'no content': () => ({ status: 204 }),
  'a refusal of the app': (run) => json({ run }, 402),
}

const away: Store = Object.assign(memory(), {
  claim: () => Promise.reject(new DriverUnavailableError('memory', 'off.')),
})

/** The idempotency guard on a route of the app's own API. */
export const guarding: Cases<AdapterTrial> = {
  ...Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      `runs the route once and replays ${name} byte for byte`,
      async (trial: AdapterTrial) => {
        let runs = 0
        const post = await guarded(trial, (run) => ((runs = run), answer(run)))
        const [first, repeat] = [await post('k'), await post('k')]
        assert.deepEqual([repeat.status, repeat.body], [first.status, first.body])
        assert.deepEqual(
          [first.status, first.headers['content-type']],
          [answer(1).status, answer(1).headers?.['content-type']],
        )
        assert.equal(repeat.headers['content-type'], first.headers['content-type'])
        assert.deepEqual(
          [first, repeat].map(({ headers }) => headers['idempotency-replayed']),
          [undefined, 'true'],
        )
        assert.equal(runs, 1)
      },
    ]),
  ),

  'replays the headers that describe the reply, and no cookie': async (trial) => {
    const headers = { location: '/charges/1', 'x-mine': '1', 'set-cookie': 'session=secret' }
    const post = await guarded(trial, () => ({ status: 201, headers }))
    const [first, repeat] = [await post('k'), await post('k')]
    assert.match(first.headers['set-cookie'] ?? '', /session/)
    assert.deepEqual(
      ['location', 'x-mine', 'set-cookie'].map((name) => repeat.headers[name]),
      ['/charges/1', undefined, undefined],
    )
  },

  'answers 409 with retry-after while the first request runs': async (trial) => {
    let open!: () => void
    const opened = new Promise<void>((resolve) => (open = resolve))
    let runs = 0
    const post = await guarded(trial, (run) => ((runs = run), opened.then(() => json('done'))))
    const first = post('k')
    try {
      await eventually(
        () => runs,
        (run) => run === 1,
        'The route does not run.',
      )
      const repeat = await post('k')
      assert.deepEqual(problem(repeat), refusal(409, 'ERR_KEY_IN_FLIGHT'))
      assert.equal(repeat.headers['retry-after'], '1')
    } finally {
      open()
      assert.equal((await first).status, 200)
    }
  },

  'runs one of fifty equal requests at once and gives all of them its reply': async (trial) => {
    const post = await guarded(trial, async (run) => (await pause(20), json({ run })), { wait: '20s' })
    const got = await Promise.all(Array.from({ length: 50 }, () => post('k')))
    assert.deepEqual(new Set(got.map(({ body }) => body.toString())), new Set(['{"run":1}']))
    assert.equal(got.filter(({ headers }) => headers['idempotency-replayed'] === 'true').length, 49)
  },

  'answers 422 to the same key with another body': async (trial) => {
    const post = await guarded(trial, () => json({}))
    await post('k', { amount: 1, to: 'a' })
    assert.equal((await post('k', { to: 'a', amount: 1 })).status, 200) // the same to a parser
    assert.deepEqual(problem(await post('k', { to: 'a', amount: 2 })), refusal(422, 'ERR_KEY_REUSED'))
  },

  'frees the key after a reply of 500 and above': async (trial) => {
    const post = await guarded(trial, (run) => (run === 1 ? { status: 503, body: 'later' } : json('ok')))
    assert.deepEqual([(await post('k')).status, (await post('k')).status], [503, 200])
  },

  'frees the key after a throw, which stays the app’s own': async (trial) => {
    const post = await guarded(trial, (run) => (run === 1 ? Promise.reject(new Error('boom')) : json('ok')))
    const first = await post('k')
    assert.deepEqual([first.status, first.body.toString()], [500, 'app: boom'])
    assert.equal((await post('k')).status, 200)
  },

  'keeps successes alone if told so': async (trial) => {
    const post = await guarded(trial, (run) => (run === 1 ? json('no', 402) : json('ok')), {
      cache: 'success',
    })
    assert.deepEqual([(await post('k')).status, (await post('k')).status], [402, 200])
  },

  'sends a reply that is too large to keep, and tells repeats': async (trial) => {
    const large = () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(1_001) })
    const post = await guarded(trial, large, { replayLimit: 1_000 })
    assert.equal((await post('k')).body.length, 1_001)
    const repeat = await post('k')
    assert.deepEqual([repeat.status, repeat.headers['idempotency-reply']], [200, 'not-kept'])
  },

  'sends a stream that is too large to keep, whole': async (trial) => {
    const pieces = () => Readable.from(Array.from({ length: 30 }, () => Buffer.alloc(100, 'x')))
    const post = await guarded(
      trial,
      () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: pieces() }),
      { replayLimit: 1_000 },
    )
    assert.equal((await post('k')).body.length, 3_000)
    assert.equal((await post('k')).headers['idempotency-reply'], 'not-kept')
  },

  'answers 503 while the store is out of reach': async (trial) => {
    const post = await guarded(trial, () => json({}), { store: away })
    const got = await post('k')
    assert.deepEqual(problem(got), refusal(503, 'ERR_STORE_UNAVAILABLE'))
    assert.equal(got.headers['retry-after'], '1')
  },

  'runs unguarded while the store is out of reach if told so': async (trial) => {
    const post = await guarded(trial, () => json('ran'), { store: away, onStoreError: 'open' })
    assert.equal((await post('k')).body.toString(), '"ran"')
  },

  'sends the reply even if it cannot be stored, and logs that': async (trial) => {
    const store = Object.assign(memory(), {
      complete: () => Promise.reject(new DriverUnavailableError('memory', 'off.')),
    })
    const post = await guarded(trial, () => json('ran'), { store })
    assert.equal((await post('k')).body.toString(), '"ran"')
    assert.deepEqual(
      trial.logged.map(({ code }) => code),
      ['WARN_REPLY_NOT_KEPT'],
    )
  },

  'sends no reply before the store has it': async (trial) => {
    let open!: () => void
    const opened = new Promise<void>((resolve) => (open = resolve))
    const store = memory()
    const complete = store.complete.bind(store)
    store.complete = async (...args) => opened.then(() => complete(...args))
    const post = await guarded(trial, () => json('ran'), { store })
    let answered = false
    const reply = post('k').then((got) => ((answered = true), got))
    await pause(40)
    assert.equal(answered, false)
    open()
    assert.equal((await reply).body.toString(), '"ran"')
  },

  'reads the body itself where no parser has, and hands it to the route': async (trial) => {
    const post = await guarded(trial, (_run, { body }) => json(body), {}, [])
    assert.equal((await post('k', { amount: 3 })).body.toString(), '{"amount":3}')
    assert.equal((await post('k', { amount: 4 })).status, 422)
  },
}

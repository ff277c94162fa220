import assert from 'node:assert/strict'
import { memory } from '@trigger-hub/core/memory'
import type { Cases } from '../runner.ts'
import type { Answer, Part, Route } from './app.ts'
import { guarded, json } from './guarded.ts'
import { problem, refusal, type Sent } from './send.ts'
import { senders, signed, type AdapterTrial, type Sender } from './trial.ts'

const text = { 'content-type': 'text/plain' }
const keyed: Sent = { headers: { 'idempotency-key': 'k' } }

/** A guarded route of another method than POST, which counts its runs. */
async function ofMethod(trial: AdapterTrial, method: NonNullable<Route['method']>) {
  let runs = 0
  const guard: Part = { is: 'idempotency', options: { store: memory() } }
  const handler = (): Answer => ({ status: 200, headers: text, body: `run ${++runs}` })
  return trial.serve({ routes: [{ method, path: '/thing', parts: [guard], handler }] })
}

/** A route that is guarded by the events of a source, and counts its runs. */
async function ofSource(trial: AdapterTrial, sender: Sender, before: readonly Part[] = []) {
  let runs = 0
  const guard: Part = { is: 'idempotency', options: { store: memory(), key: senders[sender] } }
  const handler = (): Answer => ({ status: 200, headers: text, body: `run ${++runs}` })
  return trial.serve({ routes: [{ path: '/hook', parts: [...before, guard], handler }] })
}

/** Which requests the guard takes for the same, and which for none of its business. */
export const keying: Cases<AdapterTrial> = {
  ...Object.fromEntries(
    Object.entries({
      'two keys of one name': { 'idempotency-key': ['a', 'b'] },
      'two keys of two names': { 'idempotency-key': 'a', 'x-idempotency-key': 'b' },
      'a key of 256 characters': { 'idempotency-key': 'x'.repeat(256) },
      'an empty key': { 'idempotency-key': '""' },
      'a key with an open quote': { 'idempotency-key': '"a' },
    }).map(([name, headers]) => [
      `answers 400 to ${name}`,
      async (trial: AdapterTrial) => {
        const post = await guarded(trial, () => json({}))
        assert.deepEqual(problem(await post(undefined, {}, headers)), refusal(400, 'ERR_KEY_MALFORMED'))
      },
    ]),
  ),

  'takes a quoted and a bare key for the same': async (trial) => {
    const post = await guarded(trial, () => json({}))
    await post('abc')
    assert.equal((await post('"abc"')).headers['idempotency-replayed'], 'true')
  },

  'runs unguarded without a key': async (trial) => {
    const post = await guarded(trial, (run) => json({ run }))
    assert.deepEqual(
      [(await post()).body.toString(), (await post()).body.toString()],
      ['{"run":1}', '{"run":2}'],
    )
  },

  'answers 400 without a key where one is required': async (trial) => {
    const post = await guarded(trial, () => json({}), { required: true })
    assert.deepEqual(problem(await post()), refusal(400, 'ERR_KEY_MISSING'))
  },

  'tells scopes apart': async (trial) => {
    const post = await guarded(trial, (run) => json({ run }), {
      scope: ({ headers }) => headers.get('x-tenant') ?? '',
    })
    const got = [await post('k', {}, { 'x-tenant': 'a' }), await post('k', {}, { 'x-tenant': 'b' })]
    assert.deepEqual(
      got.map(({ body }) => body.toString()),
      ['{"run":1}', '{"run":2}'],
    )
  },

  ...Object.fromEntries(
    Object.entries({
      alone: [],
      'behind verifySignature': [{ is: 'verifySignature', source: senders.standard }],
    }).map(([where, before]) => [
      `takes the id of a source's events for the key, ${where}`,
      async (trial: AdapterTrial) => {
        const post = await ofSource(trial, 'standard', before as Part[])
        const first = signed('standard', '{"n":1}')
        const got = [
          await post('/hook', first),
          await post('/hook', first),
          await post('/hook', signed('standard', '{"n":1}', { id: 'msg_2' })),
        ]
        assert.deepEqual(
          got.map(({ body }) => body.toString()),
          ['run 1', 'run 1', 'run 2'],
        )
        const reused = await post('/hook', signed('standard', '{"n":2}'))
        assert.deepEqual(problem(reused), refusal(422, 'ERR_KEY_REUSED'))
        const forged = await post('/hook', { ...first, body: '{"n":3}' })
        assert.deepEqual(problem(forged), refusal(401, 'ERR_UNAUTHORIZED'))
      },
    ]),
  ),

  'takes an id that the signature does not cover together with the body': async (trial) => {
    const post = await ofSource(trial, 'github')
    const bodies = ['{"n":1}', '{"n":2}', '{"n":1}']
    const got = []
    for (const body of bodies) {
      const request = signed('github', body)
      got.push(
        await post('/hook', { ...request, headers: { ...request.headers, 'x-github-delivery': 'same' } }),
      )
    }
    assert.deepEqual(
      got.map(({ body }) => body.toString()),
      ['run 1', 'run 2', 'run 1'],
    )
  },

  'takes two guards on one route for one': async (trial) => {
    const store = memory()
    const post = await guarded(trial, (run) => json({ run }), { store }, [
      { is: 'json' },
      { is: 'idempotency', options: { store, required: true } },
    ])
    const got = [await post('k'), await post('k')]
    assert.deepEqual(
      got.map(({ status, body, headers }) => [status, body.toString(), headers['idempotency-replayed']]),
      [
        [200, '{"run":1}', undefined],
        [200, '{"run":1}', 'true'],
      ],
    )
  },

  ...Object.fromEntries(
    (['PUT', 'PATCH', 'DELETE'] as const).map((method) => [
      `guards ${method} as well`,
      async (trial: AdapterTrial) => {
        const post = await ofMethod(trial, method)
        const got = [await post('/thing', { method, ...keyed }), await post('/thing', { method, ...keyed })]
        assert.deepEqual(
          got.map(({ status, body }) => [status, body.toString()]),
          [
            [200, 'run 1'],
            [200, 'run 1'],
          ],
        )
      },
    ]),
  ),

  'runs GET and HEAD unguarded, with a key or without': async (trial) => {
    const post = await ofMethod(trial, 'GET')
    assert.equal((await post('/thing', { method: 'GET', ...keyed })).body.toString(), 'run 1')
    const head = await post('/thing', { method: 'HEAD', ...keyed })
    assert.deepEqual(
      [head.status, head.body.length, head.headers['idempotency-replayed']],
      [200, 0, undefined],
    )
    assert.equal((await post('/thing', { method: 'GET', ...keyed })).body.toString(), 'run 3')
  },
}

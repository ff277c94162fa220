import assert from 'node:assert/strict'
import type { Cases } from '../runner.ts'
import type { Route } from './app.ts'
import { signed, type AdapterTrial } from './trial.ts'

const echo: Route = {
  path: '/echo',
  parts: [{ is: 'json' }],
  handler: ({ body }) => ({
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }),
}
const failing: Route = {
  path: '/failing',
  parts: [],
  handler: () => {
    throw new Error('boom')
  },
}
const own: Route = { path: '/webhooks/own', parts: [], handler: () => ({ status: 202, body: 'mine' }) }

const json = { 'content-type': 'application/json' }

const app = async (trial: AdapterTrial) =>
  trial.serve({ hubs: { '/webhooks': await trial.hub() }, routes: [echo, failing, own] })

/** The app beside the hub: its routes and its errors stay its own. */
export const beside: Cases<AdapterTrial> = {
  "leaves the app's own routes their bodies": async (trial) => {
    const post = await app(trial)
    const got = await post('/echo', { headers: json, body: '{"a":1}' })
    assert.deepEqual([got.status, got.body.toString()], [201, '{"a":1}'])
  },

  "leaves errors of the app's own routes to the app": async (trial) => {
    const post = await app(trial)
    const got = await post('/failing', {})
    assert.deepEqual([got.status, got.body.toString()], [500, 'app: boom'])
  },

  "lets a path that is no source's go on to the app": async (trial) => {
    const post = await app(trial)
    const got = await post('/webhooks/own', {})
    assert.deepEqual([got.status, got.body.toString()], [202, 'mine'])
  },

  ...Object.fromEntries(
    [
      '/webhooks',
      '/webhooks/',
      '/webhooks/nobody',
      '/webhooks/plain/more',
      '/webhooks/Plain',
      '/webhook/plain',
      '/plain',
      '/webhooks/%70lain%',
    ].map((path) => [
      `answers 404 to ${path}, as the app does to every path of nobody`,
      async (trial: AdapterTrial) => {
        const post = await app(trial)
        const got = await post(path, signed('plain', '{}'))
        assert.ok(got.status === 404 || (got.status === 400 && path.endsWith('%')), `answered ${got.status}`)
        assert.deepEqual(trial.seen, [])
      },
    ]),
  ),

  ...Object.fromEntries(
    ['/webhooks/plain/', '/webhooks/plain?', '/webhooks/plain?a=1&a=2'].map((path) => [
      `takes ${path} for the path of its source`,
      async (trial: AdapterTrial) => {
        const post = await app(trial)
        assert.equal((await post(path, signed('plain', '{}'))).status, 200)
      },
    ]),
  ),
}

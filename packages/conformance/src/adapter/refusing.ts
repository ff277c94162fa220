import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { Cases } from '../runner.ts'
import { problem, refusal, type Got, type Sent } from './send.ts'
import { senders, signed, type AdapterTrial, type Sender } from './trial.ts'

const body = '{"id":"evt_1","type":"order.paid","n":1.0}'
type Headers = Record<string, string | readonly string[]>

const signatureHeader = (headers: Headers): string =>
  Object.keys(headers).find((name) => /sig|hmac/.test(name)) ?? ''

const changed = (change: (signature: string, headers: Headers) => string | readonly string[] | undefined) => {
  return (sender: Sender): Sent => {
    const request = signed(sender, body)
    const name = signatureHeader(request.headers)
    const { [name]: signature = '', ...others } = request.headers
    const value = change(signature, others)
    return { body: request.body, headers: value === undefined ? others : { ...others, [name]: value } }
  }
}

/** Another symbol of the same alphabet, eight from the end: no padding, and no bits that do not count. */
const flipped = (text: string): string => {
  const at = text.length - 8
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1)
}

const unsigned: Record<string, (sender: Sender) => Sent> = {
  'without a signature': changed(() => undefined),
  'with an empty signature': changed(() => ''),
  'with one symbol of the signature changed': changed(flipped),
  'with the signature cut off': changed((signature) => signature.slice(0, -6)),
  'with the signature sent twice': changed((signature) => [signature, flipped(signature)]),
  'with a signature of 8 KB': changed((signature) => signature.padEnd(8_000, 'a')),
  'with a byte more in the body': (sender) => {
    const request = signed(sender, body)
    return { headers: request.headers, body: `${request.body.toString()} ` }
  },
  'with the body serialised anew': (sender) => {
    const request = signed(sender, body)
    return { headers: request.headers, body: JSON.stringify(JSON.parse(body)) }
  },
}

const everySender = Object.keys(senders) as Sender[]

/** Everything that is nobody's, or not a webhook. */
export const refusing: Cases<AdapterTrial> = {
  ...Object.fromEntries(
    Object.entries(unsigned).flatMap(([name, request]) =>
      everySender.map((sender) => [
        `answers 401 to a request ${name}, and nothing more: ${sender}`,
        async (trial: AdapterTrial) => {
          const post = await trial.receiving()
          unauthorized(await post(`/webhooks/${sender}`, request(sender)))
          assert.deepEqual(trial.seen, [])
        },
      ]),
    ),
  ),

  ...Object.fromEntries(
    (['stripe', 'slack', 'standard', 'svix'] as const).flatMap((sender) =>
      [
        ['long ago', -3_600_000],
        ['in the future', 3_600_000],
      ].map(([when, by]) => [
        `answers 401 to a request signed ${when}: ${sender}`,
        async (trial: AdapterTrial) => {
          const post = await trial.receiving()
          unauthorized(
            await post(`/webhooks/${sender}`, signed(sender, body, { nowMs: Date.now() + Number(by) })),
          )
        },
      ]),
    ),
  ),

  ...Object.fromEntries(
    ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => [
      `answers 405 to ${method}`,
      async (trial: AdapterTrial) => {
        const post = await trial.receiving()
        const got = await post('/webhooks/plain', { method, headers: signed('plain', '').headers })
        assert.deepEqual(problem(got), refusal(405, 'ERR_METHOD_NOT_ALLOWED'))
        assert.equal(got.headers.allow, 'POST')
      },
    ]),
  ),

  'answers 405 to HEAD, without a body': async (trial) => {
    const post = await trial.receiving()
    const got = await post('/webhooks/plain', { method: 'HEAD' })
    assert.deepEqual([got.status, got.headers.allow, got.body.length], [405, 'POST', 0])
  },

  'answers 413 to a body over the limit': async (trial) => {
    const post = await trial.receiving({ limit: 1_000 })
    const got = await post('/webhooks/plain', signed('plain', 'x'.repeat(1_001)))
    assert.deepEqual(problem(got), refusal(413, 'ERR_BODY_TOO_LARGE'))
  },

  'answers 413 to a body over the limit that does not tell its length': async (trial) => {
    const post = await trial.receiving({ limit: 1_000 })
    const { headers, body } = signed('plain', 'x'.repeat(1_001))
    const got = await post('/webhooks/plain', {
      headers: { ...headers, 'transfer-encoding': 'chunked' },
      body,
    })
    assert.deepEqual(problem(got), refusal(413, 'ERR_BODY_TOO_LARGE'))
  },

  'answers 413 to a body that is over the limit once inflated': async (trial) => {
    const post = await trial.receiving({ limit: 1_000 })
    const { headers } = signed('plain', 'x'.repeat(100_000))
    const got = await post('/webhooks/plain', {
      headers: { ...headers, 'content-encoding': 'gzip' },
      body: gzipSync('x'.repeat(100_000)),
    })
    assert.deepEqual(problem(got), refusal(413, 'ERR_BODY_TOO_LARGE'))
  },

  'accepts a body of just the limit': async (trial) => {
    const post = await trial.receiving({ limit: 1_000 })
    assert.equal((await post('/webhooks/plain', signed('plain', 'x'.repeat(1_000)))).status, 200)
  },

  ...Object.fromEntries(
    ['compress', 'gzip, gzip', 'zstd', 'x'].map((encoding) => [
      `answers 415 to the content-encoding "${encoding}"`,
      async (trial: AdapterTrial) => {
        const post = await trial.receiving()
        const { headers, body: bytes } = signed('plain', body)
        const got = await post('/webhooks/plain', {
          headers: { ...headers, 'content-encoding': encoding },
          body: bytes,
        })
        assert.deepEqual(problem(got), refusal(415, 'ERR_BODY_ENCODING_UNSUPPORTED'))
      },
    ]),
  ),

  ...Object.fromEntries(
    (['gzip', 'deflate', 'br'] as const).map((encoding) => [
      `answers 400 to a body that is not the ${encoding} that it says`,
      async (trial: AdapterTrial) => {
        const post = await trial.receiving()
        const { headers, body: bytes } = signed('plain', body)
        const got = await post('/webhooks/plain', {
          headers: { ...headers, 'content-encoding': encoding },
          body: bytes,
        })
        assert.deepEqual(problem(got), refusal(400, 'ERR_BODY_ENCODING_INVALID'))
      },
    ]),
  ),

  'answers 400 to gzip that is cut off': async (trial) => {
    const post = await trial.receiving()
    const { headers } = signed('plain', body)
    const got = await post('/webhooks/plain', {
      headers: { ...headers, 'content-encoding': 'gzip' },
      body: gzipSync(body).subarray(0, 20),
    })
    assert.deepEqual(problem(got), refusal(400, 'ERR_BODY_ENCODING_INVALID'))
  },

  'answers 500 when a body parser was first, and the log names the line to move': async (trial) => {
    const hub = await trial.hub()
    const post = await trial.serve({ parserFirst: true, hubs: { '/webhooks': hub } })
    const got = await post('/webhooks/plain', signed('plain', body))
    assert.deepEqual(problem(got), refusal(500, 'ERR_BODY_CONSUMED'))
    assert.match(trial.logged.at(-1)?.message ?? '', /Move the line/)
    assert.deepEqual(trial.seen, [])
  },
}

/** Every 401 has the same body, so that nobody learns from it how far they got. */
function unauthorized(got: Got): void {
  assert.deepEqual(problem(got), refusal(401, 'ERR_UNAUTHORIZED'))
  assert.deepEqual(JSON.parse(got.body.toString()), {
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    code: 'ERR_UNAUTHORIZED',
  })
  assert.equal(got.headers['trigger-hub-event'], undefined)
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { WebhookError, type Claim, type Store, type StoredReply } from '@trigger-hub/core'
import type { Cases } from '../runner.ts'
import { leaseMs, ttlMs, type StoreTrial } from './trial.ts'

const reply: StoredReply = {
  status: 201,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"paid":true}'),
}

const statesOf = (claims: readonly Claim[]): string[] => claims.map(({ is }) => is).sort()

export const claiming: Cases<StoreTrial> = {
  async 'gives a free key to who asks'(trial) {
    const claim = await trial.claim('key')
    assert(claim.is === 'claimed')
    assert(claim.token.length > 0)
  },

  async 'gives a key to one of 50 who ask at once'(trial) {
    const claims = await Promise.all(Array.from({ length: 50 }, () => trial.claim('key')))
    assert.deepEqual(statesOf(claims), ['claimed', ...Array.from({ length: 49 }, () => 'in-flight')])
  },

  async 'says how long the lease of a key in flight still runs'(trial) {
    await trial.held('key')
    const claim = await trial.claim('key')
    assert(claim.is === 'in-flight')
    assert(claim.retryAfterMs > 0 && claim.retryAfterMs <= leaseMs, `${claim.retryAfterMs} ms`)
  },

  async 'holds every key apart'(trial) {
    const [first, second] = await Promise.all([trial.held('key'), trial.held('other')])
    assert.notEqual(first.token, second.token)
    assert.equal(await trial.store.release(first), true)
    assert.equal((await trial.claim('other')).is, 'in-flight')
  },

  async 'tells another request under a key in flight'(trial) {
    await trial.held('key')
    assert.deepEqual(await trial.claim('key', { fingerprint: 'other' }), { is: 'mismatch' })
    assert.equal((await trial.claim('key')).is, 'in-flight')
  },

  async 'tells another request under a finished key'(trial) {
    await trial.store.complete(await trial.held('key'), reply, ttlMs)
    assert.deepEqual(await trial.claim('key', { fingerprint: 'other' }), { is: 'mismatch' })
    assert.equal((await trial.claim('key')).is, 'completed')
  },

  async 'frees a released key, also for another request'(trial) {
    const first = await trial.held('key')
    assert.equal(await trial.store.release(first), true)
    const second = await trial.held('key', { fingerprint: 'other' })
    assert.notEqual(second.token, first.token)
  },

  async 'frees a key whose holder has gone, once its lease is over'(trial) {
    await trial.held('key')
    await trial.time.pass(leaseMs * 0.2)
    assert.equal((await trial.claim('key')).is, 'in-flight')
    await trial.time.pass(leaseMs * 0.9)
    assert.equal((await trial.claim('key')).is, 'claimed')
  },

  async 'gives a key that ran out to one of 50 who ask at once'(trial) {
    await trial.held('key')
    await trial.time.pass(leaseMs * 1.1)
    const claims = await Promise.all(Array.from({ length: 50 }, () => trial.claim('key')))
    assert.deepEqual(statesOf(claims), ['claimed', ...Array.from({ length: 49 }, () => 'in-flight')])
  },

  async 'holds a key for as long as it is renewed'(trial) {
    const held = await trial.held('key')
    for (let nth = 0; nth < 5; nth++) {
      await trial.time.pass(leaseMs * 0.25)
      assert.equal(await trial.store.renew(held, leaseMs), true)
    }
    assert.equal((await trial.claim('key')).is, 'in-flight')
    assert.equal(await trial.store.complete(held, reply, ttlMs), true)
  },
}

const replies: Readonly<Record<string, StoredReply>> = {
  'a reply with a body': reply,
  'a reply without a body that could be kept': { status: 200, headers: { 'content-type': 'text/csv' } },
  'a reply with an empty body': { status: 204, headers: {}, body: Buffer.alloc(0) },
  'a body that is not UTF-8': {
    status: 200,
    headers: {},
    body: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28, 0x0a]),
  },
  'a megabyte of random bytes': { status: 200, headers: {}, body: randomBytes(1_048_576) },
  'headers that repeat, are empty or hold any text': {
    status: 422,
    headers: { link: ['</a>; rel="next"', '</b>'], 'x-empty': '', 'x-text': `it's "quoted", é ☃`, vary: [] },
    body: Buffer.from('x'),
  },
}

/** As plain values: whether the body is there, that it is a Buffer, and its bytes. */
const seen = ({ status, headers, body }: StoredReply) => ({
  status,
  headers: { ...headers },
  body: body && { isBuffer: Buffer.isBuffer(body), bytes: body.toString('base64') },
})

export const remembering: Cases<StoreTrial> = {
  ...Object.fromEntries(
    Object.entries(replies).map(([what, stored]) => [
      `gives ${what} again, byte for byte`,
      async (trial: StoreTrial) => {
        assert.equal(await trial.store.complete(await trial.held('key'), stored, ttlMs), true)
        for (let nth = 0; nth < 2; nth++) {
          const claim = await trial.claim('key')
          assert(claim.is === 'completed', claim.is)
          assert.deepEqual(seen(claim.reply), seen(stored))
        }
      },
    ]),
  ),

  async 'gives the one reply to 50 who ask at once'(trial) {
    await trial.store.complete(await trial.held('key'), reply, ttlMs)
    const claims = await Promise.all(Array.from({ length: 50 }, () => trial.claim('key')))
    for (const claim of claims) {
      assert(claim.is === 'completed', claim.is)
      assert.deepEqual(seen(claim.reply), seen(reply))
    }
  },

  async 'keeps a reply beyond the lease of its key'(trial) {
    await trial.store.complete(await trial.held('key'), reply, ttlMs)
    await trial.time.pass(leaseMs * 1.5)
    assert.equal((await trial.claim('key')).is, 'completed')
  },

  async 'keeps a reply as long as asked, then frees the key'(trial) {
    await trial.store.complete(await trial.held('key'), reply, 3_000)
    await trial.time.pass(300)
    assert.equal((await trial.claim('key')).is, 'completed')
    await trial.time.pass(2_800)
    assert.equal((await trial.claim('key')).is, 'claimed')
  },
}

export const fencing: Cases<StoreTrial> = {
  async 'refuses to complete, renew or release with a token that was made up'(trial) {
    const { key } = await trial.held('key')
    const forged = { key, token: 'forged' }
    assert.equal(await trial.store.renew(forged, leaseMs), false)
    assert.equal(await trial.store.complete(forged, reply, ttlMs), false)
    assert.equal(await trial.store.release(forged), false)
    assert.equal((await trial.claim('key')).is, 'in-flight')
  },

  async 'refuses a late holder to complete what another has taken over'(trial) {
    const late = await trial.held('key')
    await trial.time.pass(leaseMs * 1.1)
    const holder = await trial.held('key')
    assert.equal(await trial.store.complete(late, { ...reply, status: 500 }, ttlMs), false)
    assert.equal((await trial.claim('key')).is, 'in-flight')
    assert.equal(await trial.store.complete(holder, reply, ttlMs), true)
    const claim = await trial.claim('key')
    assert(claim.is === 'completed')
    assert.equal(claim.reply.status, reply.status)
  },

  async 'refuses a late holder to renew or release what another has taken over'(trial) {
    const late = await trial.held('key')
    await trial.time.pass(leaseMs * 1.1)
    const holder = await trial.held('key')
    assert.equal(await trial.store.renew(late, leaseMs * 100), false)
    assert.equal(await trial.store.release(late), false)
    assert.equal((await trial.claim('key')).is, 'in-flight')
    assert.equal(await trial.store.renew(holder, leaseMs), true)
    await trial.time.pass(leaseMs * 1.1)
    assert.equal((await trial.claim('key')).is, 'claimed', 'the late holder has not prolonged the lease')
  },

  async 'refuses a late holder to touch what another has finished'(trial) {
    const late = await trial.held('key')
    await trial.time.pass(leaseMs * 1.1)
    await trial.store.complete(await trial.held('key'), reply, ttlMs)
    assert.equal(await trial.store.complete(late, { ...reply, status: 500 }, ttlMs), false)
    assert.equal(await trial.store.renew(late, leaseMs), false)
    assert.equal(await trial.store.release(late), false)
    const claim = await trial.claim('key')
    assert(claim.is === 'completed')
    assert.equal(claim.reply.status, reply.status)
  },

  async 'refuses who released a key to come back to it'(trial) {
    const held = await trial.held('key')
    await trial.store.release(held)
    assert.equal(await trial.store.renew(held, leaseMs), false)
    assert.equal(await trial.store.complete(held, reply, ttlMs), false)
    assert.equal((await trial.claim('key')).is, 'claimed')
  },
}

export const closing: Cases<StoreTrial> = {
  async 'closes twice without harm'(trial) {
    await trial.claim('key')
    await trial.time.settled('both closes', Promise.all([trial.store.close(), trial.store.close()]))
    await trial.time.settled('a third close', trial.store.close())
  },

  async 'closes although it was never used'(trial) {
    await trial.time.settled('the close', trial.store.close())
  },

  async 'claims nothing once it is closed: the sender is to come again'(trial) {
    const held = await trial.held('key')
    await trial.store.close()
    const calls = [
      () => trial.claim('other'),
      () => trial.store.renew(held, leaseMs),
      () => trial.store.complete(held, reply, ttlMs),
      () => trial.store.release(held),
    ]
    for (const call of calls) {
      await assert.rejects(call, (error) => {
        assert(WebhookError.is(error), 'the error is a WebhookError')
        assert.deepEqual([error.status, error.retryable], [503, true])
        return true
      })
    }
  },
}

/** For stores that several processes may share. There is nothing to ask of one that is its process's own. */
const shared = (body: (trial: StoreTrial, peer: Store) => Promise<void>) => async (trial: StoreTrial) => {
  if (trial.isShared) await body(trial, await trial.open())
}

export const sharing: Cases<StoreTrial> = {
  'gives a key to one of 50 who ask at once in two processes': shared(async (trial, peer) => {
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, nth) =>
        trial.claim('key', { store: nth % 2 === 0 ? trial.store : peer }),
      ),
    )
    assert.deepEqual(statesOf(claims), ['claimed', ...Array.from({ length: 49 }, () => 'in-flight')])
  }),

  'gives the reply of one process to a repeat in another': shared(async (trial, peer) => {
    assert.equal(await trial.store.complete(await trial.held('key'), reply, ttlMs), true)
    const claim = await trial.claim('key', { store: peer })
    assert(claim.is === 'completed', claim.is)
    assert.deepEqual(seen(claim.reply), seen(reply))
  }),

  'takes over from a process that died, and refuses it when it was only late': shared(async (trial, peer) => {
    const late = await trial.held('key')
    await trial.time.pass(leaseMs * 1.1)
    const holder = await trial.held('key', { store: peer })
    assert.equal(await trial.store.renew(late, leaseMs), false)
    assert.equal(await trial.store.complete(late, { ...reply, status: 500 }, ttlMs), false)
    assert.equal(await trial.store.release(late), false)
    assert.equal(await peer.complete(holder, reply, ttlMs), true)
    const claim = await trial.claim('key')
    assert(claim.is === 'completed')
    assert.equal(claim.reply.status, reply.status)
  }),

  'keeps keys in flight and finished when a process ends': async (trial) => {
    const held = await trial.held('flying')
    if (!trial.isDurable) return
    await trial.store.complete(await trial.held('done'), reply, ttlMs)
    await trial.store.close()
    const store = await trial.open()
    assert.equal((await trial.claim('flying', { store })).is, 'in-flight')
    assert.equal((await trial.claim('done', { store })).is, 'completed')
    assert.equal(await store.complete(held, reply, ttlMs), true)
  },
}

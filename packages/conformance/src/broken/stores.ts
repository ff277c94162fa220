import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Held, Store, StoredReply } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { MakeStore } from '../store/trial.ts'
import type { Broken } from './changed.ts'
import { brokenCompanions } from './companions.ts'

/** The memory store, changed. */
const changed =
  (changes: (sound: Store) => Partial<Store>): MakeStore =>
  ({ clock }) => {
    const sound = memory({ clock })
    return {
      name: 'broken',
      capabilities: sound.capabilities,
      claim: (key, fingerprint, options) => sound.claim(key, fingerprint, options),
      renew: (held, leaseMs) => sound.renew(held, leaseMs),
      complete: (held, reply, ttlMs) => sound.complete(held, reply, ttlMs),
      release: (held) => sound.release(held),
      close: () => sound.close(),
      ...changes(sound),
    }
  }

/** The memory store, with the token of whoever holds the key in place of the one that was given. */
const withoutTokens = (method: 'complete' | 'renew' | 'release'): MakeStore =>
  changed((sound) => {
    const tokens = new Map<string, string>()
    const current = ({ key, token }: Held): Held => ({ key, token: tokens.get(key) ?? token })
    return {
      async claim(key, fingerprint, options) {
        const claim = await sound.claim(key, fingerprint, options)
        if (claim.is === 'claimed') tokens.set(key, claim.token)
        return claim
      },
      ...{
        complete: {
          complete: (held: Held, reply: StoredReply, ttlMs: number) =>
            sound.complete(current(held), reply, ttlMs),
        },
        renew: { renew: (held: Held, leaseMs: number) => sound.renew(current(held), leaseMs) },
        release: { release: (held: Held) => sound.release(current(held)) },
      }[method],
    }
  })

/** The memory store, which keeps something else than the reply that it was given. */
const keeping = (kept: (reply: StoredReply) => StoredReply): MakeStore =>
  changed((sound) => ({ complete: (held, reply, ttlMs) => sound.complete(held, kept(reply), ttlMs) }))

/** Stores with one defect each, by what they do wrong: `storeSuite` is shown to find every one of them. */
export const brokenStores: Readonly<Record<string, Broken<MakeStore>>> = {
  'looks a key up and claims it in two steps': {
    fails: ['gives a key to one of 50 who ask at once'],
    make: changed((sound) => {
      const seen = new Set<string>()
      return {
        async claim(key, fingerprint, options) {
          const known = seen.has(key)
          await nextTurn()
          if (known) return sound.claim(key, fingerprint, options)
          seen.add(key)
          return { is: 'claimed', key, token: `token ${Math.random()}` }
        },
      }
    }),
  },

  'lets a late holder complete': {
    fails: [
      'refuses a late holder to complete what another has taken over',
      'refuses to complete, renew or release with a token that was made up',
    ],
    make: withoutTokens('complete'),
  },

  'lets a late holder renew': {
    fails: ['refuses a late holder to renew or release what another has taken over'],
    make: withoutTokens('renew'),
  },

  'lets a late holder release': {
    fails: ['refuses a late holder to renew or release what another has taken over'],
    make: withoutTokens('release'),
  },

  'holds a key for ever when its holder died': {
    fails: ['frees a key whose holder has gone, once its lease is over'],
    make: changed((sound) => ({
      claim: (key, fingerprint, options) => sound.claim(key, fingerprint, { ...options, leaseMs: 1e12 }),
    })),
  },

  'does not renew': {
    fails: ['holds a key for as long as it is renewed'],
    make: changed(() => ({ renew: async () => true })),
  },

  'does not release': {
    fails: ['frees a released key, also for another request'],
    make: changed(() => ({ release: async () => true })),
  },

  'does not look at the fingerprint': {
    fails: ['tells another request under a key in flight', 'tells another request under a finished key'],
    make: changed((sound) => ({ claim: (key, _, options) => sound.claim(key, 'any', options) })),
  },

  'forgets the reply': {
    fails: ['gives a reply with a body again, byte for byte', 'gives the one reply to 50 who ask at once'],
    make: changed((sound) => ({
      complete: (held, reply, ttlMs) => sound.complete(held, { status: reply.status, headers: {} }, ttlMs),
    })),
  },

  'takes a reply through UTF-8': {
    fails: ['gives a body that is not UTF-8 again, byte for byte'],
    make: keeping((reply) => ({
      ...reply,
      ...(reply.body && { body: Buffer.from(reply.body.toString('utf8')) }),
    })),
  },

  'takes no body for an empty one': {
    fails: ['gives a reply without a body that could be kept again, byte for byte'],
    make: keeping((reply) => ({ ...reply, body: reply.body ?? Buffer.alloc(0) })),
  },

  'joins headers that repeat': {
    fails: ['gives headers that repeat, are empty or hold any text again, byte for byte'],
    make: keeping((reply) => ({
      ...reply,
      headers: Object.fromEntries(
        Object.entries(reply.headers).map(([name, value]) => [name, String(value)]),
      ),
    })),
  },

  'keeps a reply for ever': {
    fails: ['keeps a reply as long as asked, then frees the key'],
    make: changed((sound) => ({ complete: (held, reply) => sound.complete(held, reply, 1e12) })),
  },

  'keeps a reply only as long as the lease': {
    fails: ['keeps a reply beyond the lease of its key'],
    make: changed((sound) => ({ complete: (held, reply) => sound.complete(held, reply, 2_000) })),
  },

  'swallows the error of a claim': {
    fails: ['claims nothing once it is closed: the sender is to come again'],
    make: changed((sound) => ({
      claim: (key, fingerprint, options) =>
        sound.claim(key, fingerprint, options).catch(() => ({ is: 'claimed', key, token: 'none' })),
    })),
  },

  'claims to be shared and keeps to itself': {
    fails: [
      'gives a key to one of 50 who ask at once in two processes',
      'gives the reply of one process to a repeat in another',
    ],
    make: changed(() => ({ capabilities: { durability: 'none', reach: 'machine' } })),
  },

  'claims to survive and forgets': {
    fails: ['keeps keys in flight and finished when a process ends'],
    make: changed(() => ({ capabilities: { durability: 'disk', reach: 'process' } })),
  },

  ...brokenCompanions,
}

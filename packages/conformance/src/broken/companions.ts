import type { CompanionStore } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { MakeStore } from '../store/trial.ts'
import type { Broken } from './changed.ts'

/** A companion with something in its way. */
export const changedCompanion = (
  sound: CompanionStore,
  changes: (sound: CompanionStore) => Partial<CompanionStore>,
): CompanionStore => ({
  name: sound.name,
  capabilities: sound.capabilities,
  claim: (key, fingerprint, options) => sound.claim(key, fingerprint, options),
  renew: (held, leaseMs) => sound.renew(held, leaseMs),
  complete: (held, reply, ttlMs) => sound.complete(held, reply, ttlMs),
  release: (held, note) => sound.release(held, note),
  tally: (bot) => sound.tally(bot),
  shared: (name) => sound.shared(name),
  share: (name, text, version) => sound.share(name, text, version),
  bury: (letter, once) => sound.bury(letter, once),
  inspect: () => sound.inspect(),
  deadLetters: sound.deadLetters,
  close: () => sound.close(),
  ...changes(sound),
})

const changed =
  (changes: (sound: CompanionStore) => Partial<CompanionStore>): MakeStore =>
  ({ clock }) =>
    changedCompanion(memory({ clock }), changes)

/** Stores beside a broker with one defect each, by what they do wrong: `storeSuite` is shown to find every one of them. */
export const brokenCompanions: Readonly<Record<string, Broken<MakeStore>>> = {
  'forgets what a holder that is gone has left behind': {
    fails: ['hands the note of a holder whose lease ran out to the next'],
    make: changed((sound) => ({
      async claim(key, fingerprint, options) {
        const claim = await sound.claim(key, fingerprint, options)
        return claim.is === 'claimed' ? { ...claim, before: [] } : claim
      },
    })),
  },

  'takes its own command for that of another': {
    fails: ['recognises its own claim when a command is sent again'],
    make: changed((sound) => ({
      claim: (key, fingerprint, { token: _, ...options }) => sound.claim(key, fingerprint, options),
    })),
  },

  'drops the note of a release': {
    fails: ['hands on what was left with a release, in the order in which it was left'],
    make: changed((sound) => ({ release: (held) => sound.release(held) })),
  },

  'remembers the note of who released without one': {
    fails: ['leaves nothing of who completed, released, or left no trace'],
    make: changed((sound) => ({ release: (held, note = 'note') => sound.release(held, note) })),
  },

  'keeps notes for ever': {
    fails: ['keeps a note as long as asked, and the fingerprint with it'],
    make: changed((sound) => ({
      claim: (key, fingerprint, { trace, ...options }) =>
        sound.claim(key, fingerprint, {
          ...options,
          ...(trace ? { trace: { ...trace, keepMs: 1e12 } } : {}),
        }),
    })),
  },

  'counts all bots as one': {
    fails: ['counts for each bot what is held, what was left and what is dead'],
    make: changed((sound) => ({ tally: () => sound.tally('mail') })),
  },

  'changes a text without a look at its version': {
    fails: ['shares a text, and lets one of 20 who saw the same change it'],
    make: changed((sound) => ({
      async share(name, text) {
        return sound.share(name, text, (await sound.shared(name))?.version)
      },
    })),
  },

  'buries a delivery as often as it is told': {
    fails: ['keeps a dead letter with its event and attempts, once'],
    make: changed((sound) => {
      let nth = 0
      return { bury: (letter, once) => sound.bury(letter, `${once} ${++nth}`) }
    }),
  },
}

import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { EventRecord } from '@trigger-hub/core'
import type { MakeDriver } from '../driver/trial.ts'
import { changed, type Broken } from './changed.ts'

const throughText = (event: EventRecord): EventRecord => ({
  ...event,
  rawBody: Buffer.from(event.rawBody.toString('utf8')),
})

/** Drivers that take events in wrongly, or carry something else than what they took. */
export const wrongAtAccepting: Readonly<Record<string, Broken<MakeDriver>>> = {
  'looks a key up and claims it in two steps': {
    fails: ['stores one event for 100 identical accepts at once'],
    make: changed((sound) => {
      const known = new Map<string, string>()
      return {
        async accept(event, { key = '', ...options }) {
          const id = known.get(key)
          await nextTurn()
          if (id !== undefined) return { is: 'duplicate', id, deadLetters: 0 }
          known.set(key, event.id)
          return sound.accept(event, options)
        },
      }
    }),
  },

  'loses every seventh event': {
    fails: [
      'hands out events in the order in which they were accepted',
      'runs as many attempts of a bot at a time as asked, and no more',
    ],
    make: changed((sound) => {
      let nth = 0
      return {
        accept: async (event, options) =>
          ++nth % 7 === 0 ? { is: 'accepted', id: event.id } : sound.accept(event, options),
      }
    }),
  },

  'answers before it has the event': {
    fails: ['has the event when it says so'],
    make: changed((sound) => ({
      async accept(event, options) {
        void sleep(20).then(() => sound.accept(event, options).catch(() => undefined))
        return { is: 'accepted', id: event.id }
      },
    })),
  },

  'says duplicate of whatever has the same bytes': {
    fails: [
      'takes events without a key as they come',
      'accepts and marks the same bytes under another unsigned key',
    ],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept(event, { ...options, key: options.fingerprint }),
    })),
  },

  'does not recognise a repeat': {
    fails: ['answers a repeat with the id of the original and delivers it once'],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept(event, { ...options, key: event.id }),
    })),
  },

  'takes its own command, sent again, for a repeat': {
    fails: ['recognises its own event when a command is sent again'],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept(event, { ...options, token: randomUUID() }),
    })),
  },

  'takes another body under a known key for a repeat': {
    fails: ['keeps another body under the same key in quarantine, for no bot'],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept(event, { ...options, fingerprint: 'any' }),
    })),
  },

  'remembers keys for ever': {
    fails: ['remembers a key as long as asked, then accepts it anew'],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept(event, { ...options, ttlMs: 1e12 }),
    })),
  },

  'swallows the error of an accept': {
    fails: ['accepts nothing once it is closed: the sender is to come again'],
    make: changed((sound) => ({
      accept: (event, options) =>
        sound.accept(event, options).catch(() => ({ is: 'accepted', id: event.id })),
    })),
  },

  'runs the attempts of a request again': {
    fails: ['goes on after the attempts that were made in the request, for their bot alone'],
    make: changed((sound) => ({
      accept: (event, { resume: _, ...options }) => sound.accept(event, options),
    })),
  },

  'takes a body through UTF-8': {
    fails: [
      'carries a body that is not UTF-8 byte for byte, also among the dead letters',
      'carries a megabyte of random bytes byte for byte, also among the dead letters',
    ],
    make: changed((sound) => ({ accept: (event, options) => sound.accept(throughText(event), options) })),
  },

  'drops headers and marks': {
    fails: ['carries every field, header and mark of an event'],
    make: changed((sound) => ({
      accept: (event, options) => sound.accept({ ...event, headers: {}, marks: [] }, options),
    })),
  },
}

import { randomUUID } from 'node:crypto'
import type { DeadLetter, DeadLetters, Driver, EventRecord } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { MakeDriver } from '../driver/trial.ts'
import { wrongAtAccepting } from './accepting.ts'
import { changed, withChanges, type Broken } from './changed.ts'
import { sharedMemory } from './shared-memory.ts'

const anew = (event: EventRecord) => ({
  fingerprint: 'any',
  ttlMs: 1_000,
  timeoutMs: 1_000,
  token: event.id + randomUUID(),
})

/** Drivers with one defect each, by what they do wrong: `driverSuite` is shown to find every one of them. */
export const brokenDrivers: Readonly<Record<string, Broken<MakeDriver>>> = {
  ...wrongAtAccepting,

  'runs every bot again when one fails': {
    fails: ['does not run another bot again when one fails'],
    make: changed((sound) => ({
      async verdict(verdict, { event }) {
        if (verdict.is !== 'retry') return verdict
        await sound.accept(event, anew(event))
        return { is: 'done' }
      },
    })),
  },

  'forgets how long to wait': {
    fails: [
      'runs the next attempt after the wait that was given, not before',
      'runs the shorter of two waits first',
    ],
    make: changed(() => ({
      verdict: (verdict) => (verdict.is === 'retry' ? { ...verdict, afterMs: 0 } : verdict),
    })),
  },

  'holds a slot while a delivery waits': {
    fails: ['goes on with other events while one waits'],
    make: ({ clock }) =>
      withChanges(memory({ clock }), () => ({
        async verdict(verdict) {
          if (verdict.is !== 'retry') return verdict
          await new Promise<void>((resume) => clock.after(verdict.afterMs, resume))
          return { ...verdict, afterMs: 0 }
        },
      })),
  },

  'forgets earlier attempts': {
    fails: ['hands over every failed attempt, oldest first'],
    make: changed(() => ({ delivery: (delivery) => ({ ...delivery, history: [] }) })),
  },

  'runs more at a time than asked': {
    fails: ['runs as many attempts of a bot at a time as asked, and no more'],
    make: changed(() => ({ concurrency: (asked) => asked + 1 })),
  },

  'runs one at a time, whatever is asked': {
    fails: ['runs as many attempts of a bot at a time as asked, and no more'],
    make: changed(() => ({ concurrency: () => 1 })),
  },

  'drops what was given up on': {
    fails: ['keeps the event, the reason and every attempt of a delivery that was given up on'],
    make: changed(() => ({
      verdict: (verdict) => (verdict.is === 'dead-letter' ? { is: 'done' } : verdict),
    })),
  },

  'runs a dead delivery again': {
    fails: ['does not run a dead delivery again'],
    make: changed((sound) => ({
      async verdict(verdict, { event }) {
        if (verdict.is === 'dead-letter') await sound.accept(event, anew(event))
        return verdict
      },
    })),
  },

  'redrives for every bot': {
    fails: ['redrives one as attempt 1, for its own bot alone'],
    make: changed((sound) => ({
      driver: {
        deadLetters: {
          ...only(sound),
          async redrive(which) {
            const letters = typeof which === 'string' ? [await sound.deadLetters.read(which)] : []
            for (const letter of letters) if (letter) await sound.accept(letter.event, anew(letter.event))
            return sound.deadLetters.discard(which)
          },
        },
      },
    })),
  },

  'redrives as often as it is told to': {
    fails: [
      'redrives once what is redriven twice',
      'gives a delivery that dies again a new id, so that an old redrive finds nothing',
    ],
    make: changed((sound) => {
      const seen = new Map<string, DeadLetter>()
      return {
        driver: {
          deadLetters: {
            ...only(sound),
            async redrive(which) {
              const letter = typeof which === 'string' ? await sound.deadLetters.read(which) : undefined
              if (letter) seen.set(letter.id, letter)
              const redriven = await sound.deadLetters.redrive(which)
              const old = typeof which === 'string' && redriven === 0 ? seen.get(which) : undefined
              if (old) await sound.accept(old.event, anew(old.event))
              return old ? 1 : redriven
            },
          },
        },
      }
    }),
  },

  'lists dead letters without pages': {
    fails: ['lists oldest first, in pages'],
    make: changed((sound) => ({
      driver: {
        deadLetters: { ...only(sound), list: ({ after: _, ...rest } = {}) => sound.deadLetters.list(rest) },
      },
    })),
  },

  'forgets the backlog of a retired bot': {
    fails: ['moves the backlog and the retries of a retired bot to the dead letters'],
    make: changed((sound) => ({
      driver: {
        async retire(bot) {
          await sound.retire(bot)
          await sound.deadLetters.discard({ bot, reason: 'retired' })
        },
      },
    })),
  },

  'forgets a bot that is declared no more': {
    fails: ['goes on collecting for a bot that is declared no more, and reports it'],
    make: changed((sound) => ({
      driver: {
        async declare(bots) {
          const { bots: known } = await sound.inspect()
          for (const { name } of known) if (!bots.some((bot) => bot.name === name)) await sound.retire(name)
          await sound.declare(bots)
        },
      },
    })),
  },

  'shows a new bot what came before it': {
    fails: [
      'shows a bot what is accepted after its first declaration, and nothing before',
      'counts what no bot wanted, and gives it to nobody later',
    ],
    make: changed((sound) => {
      const all: EventRecord[] = []
      return {
        async accept(event, options) {
          all.push(event)
          return sound.accept(event, options)
        },
        driver: {
          async declare(bots) {
            await sound.declare(bots)
            for (const event of all) await sound.accept(event, anew(event))
          },
        },
      }
    }),
  },

  'charges an attempt for a shutdown': {
    fails: [
      'takes a released delivery back at no cost',
      'says redelivered when the released attempt had begun',
    ],
    make: changed(() => ({
      verdict(verdict, { attempt }) {
        if (verdict.is !== 'release') return verdict
        return { is: 'retry', afterMs: 0, failed: { attempt, startedAt: 0, endedAt: 0, outcome: 'lost' } }
      },
    })),
  },

  'does not tell that an attempt was cut off': {
    fails: ['says redelivered when the released attempt had begun'],
    make: changed(() => ({ delivery: (delivery) => ({ ...delivery, redelivered: false }) })),
  },

  'drains without a deadline': {
    fails: ['gives back at the deadline what still runs, at no cost, and refuses its late verdict'],
    make: changed(() => ({ deadlineMs: () => 1e12 })),
  },

  'drains without waiting': {
    fails: ['waits for what runs when it drains, and carries its verdict out'],
    make: changed(() => ({ deadlineMs: () => 0 })),
  },

  'says of a refused verdict that it was carried out': {
    fails: ['gives back at the deadline what still runs, at no cost, and refuses its late verdict'],
    make: changed(() => ({ outcome: () => 'settled' })),
  },

  'fails to close twice': {
    fails: ['closes twice without harm'],
    make: changed((sound) => {
      let closed = false
      return {
        driver: {
          async close() {
            if (closed) throw new Error('closed already')
            closed = true
            await sound.close()
          },
        },
      }
    }),
  },

  'claims to be shared and keeps to itself': {
    fails: [
      'delivers in one process what was accepted in another',
      'stores one event for 100 identical accepts at once in two processes',
      'redrives once what two processes redrive at once',
    ],
    make: changed(({ capabilities }) => ({
      driver: { capabilities: { ...capabilities, reach: 'machine' } },
    })),
  },

  'claims to survive and forgets': {
    fails: ['has events, keys, waits, dead letters and bots after a restart'],
    make: changed(({ capabilities }) => ({
      driver: { capabilities: { ...capabilities, durability: 'disk' } },
    })),
  },

  'never takes over from the dead': {
    fails: ['takes over from a process that died, which costs the attempt'],
    make: sharedMemory({ neverTakesOver: true }),
  },

  'takes from the living': {
    fails: ['leaves a delivery with a process that lives, however long it runs'],
    make: sharedMemory({ neverRenews: true }),
  },

  'lets a late verdict pass': {
    fails: ['refuses the late verdict of a process that was suspended, and tells its attempt'],
    make: sharedMemory({ neverFences: true }),
  },

  'does not tell that a process died': {
    fails: ['takes over from a process that died, which costs the attempt'],
    make: sharedMemory({ neverTells: true }),
  },
}

/** The dead letters of a driver as a plain object, to change one of its methods. */
const only = ({ deadLetters }: Driver): DeadLetters => ({
  list: (filter) => deadLetters.list(filter),
  read: (id) => deadLetters.read(id),
  redrive: (which) => deadLetters.redrive(which),
  discard: (which) => deadLetters.discard(which),
})

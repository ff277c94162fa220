import type { AttemptContext } from '@trigger-hub/core'

/** A bot of the crash runs, and which types it is to hear, said without the code under test. */
export interface CrashBot {
  readonly name: string
  readonly on: string
  readonly hears: (type: string) => boolean
  /** Throws if this run is to fail. */
  readonly work: (key: string, context: AttemptContext) => void
}

const lastDigit = (key: string): number => Number(key.at(-1))

export const crashBots = (permanent: (message: string) => Error): CrashBot[] => [
  { name: 'audit', on: 'shop:**', hears: () => true, work: () => undefined },
  { name: 'orders', on: 'shop:orders.*', hears: (type) => type.startsWith('orders.'), work: () => undefined },
  {
    name: 'flaky',
    on: 'shop:**',
    hears: () => true,
    work: (key, { attempt }) => {
      if (lastDigit(key) === 3 && attempt === 1) throw new Error('the other side was away')
    },
  },
  {
    name: 'fussy',
    on: 'shop:users.*',
    hears: (type) => type.startsWith('users.'),
    work: (key) => {
      if (lastDigit(key) === 7) throw permanent('it never takes a 7')
    },
  },
]

import type { Run } from './bots.ts'
import { balances, ledger, type Hearing } from './ledger.ts'
import type { Sent } from './sender.ts'

const hearing: Hearing = { archive: () => true, shipping: (source) => source === 'shop' }

const sent = (more: Partial<Sent> = {}): Sent => ({
  key: 'order-1',
  source: 'shop',
  genuine: true,
  status: 200,
  event: 'event-1',
  duplicate: false,
  ...more,
})
const repeat = sent({ duplicate: true })
const forgery = sent({ key: 'forgery-1', genuine: false, status: 401, event: null })

const run = (is: Run['is'], more: Partial<Run> = {}): Run => ({
  is,
  bot: 'archive',
  key: 'order-1',
  event: 'event-1',
  attempt: 1,
  lastAttempt: false,
  redelivered: false,
  ...more,
})
const ran = (bot: string, more: Partial<Run> = {}): Run[] => [
  run('began', { bot, ...more }),
  run('handled', { bot, ...more }),
]
const failed = (bot: string, attempt: number): Run[] => {
  const more = { bot, attempt, lastAttempt: attempt === 4 }
  return [run('began', more), run('failed', more)]
}

const requests = [sent(), repeat, forgery]
const handled = [...ran('archive'), ...ran('shipping')]

test('balances when every bot has handled what it hears', () => {
  const outcome = ledger(requests, handled, hearing)
  expect(outcome).toMatchObject({
    sent: 3,
    received: 3,
    accepted: 1,
    duplicate: 1,
    rejected: 1,
    lost: [],
    faults: [],
  })
  expect(balances(outcome)).toBe(true)
})

test('tells retries, a dead letter, its redrive and a run after a kill from each other', () => {
  const runs = [
    ...[1, 2, 3, 4].flatMap((attempt) => failed('shipping', attempt)),
    ...ran('shipping'),
    run('began'),
    ...ran('archive', { attempt: 2, redelivered: true }),
  ]
  const { bots, lost, faults } = ledger(requests, runs, hearing)
  const none = { events: 1, handled: 1, retried: 0, deadLettered: 0, redriven: 0, extra: 0 }
  expect(bots).toEqual({
    archive: { ...none, extra: 1 },
    shipping: { ...none, retried: 3, deadLettered: 1, redriven: 1 },
  })
  expect([lost, faults]).toEqual([[], []])
})

test('counts a request without an answer that was sent again', () => {
  const outcome = ledger([sent({ status: null, event: null }), repeat], handled, hearing)
  expect(outcome).toMatchObject({ sent: 2, received: 1, accepted: 0, duplicate: 1 })
  expect(balances(outcome)).toBe(true)
})

test('lets a dead letter that nobody redrives stand', () => {
  const runs = [...ran('archive'), ...[1, 2, 3, 4].flatMap((attempt) => failed('shipping', attempt))]
  expect(balances(ledger(requests, runs, hearing))).toBe(true)
})

const broken: [string, readonly Sent[], readonly Run[], string][] = [
  ['no bot ran the event', requests, [], 'archive has not ended order-1.'],
  ['one of two bots did not run it', requests, ran('archive'), 'shipping has not ended order-1.'],
  [
    'a run was cut off for good',
    requests,
    [...ran('archive'), run('began', { bot: 'shipping' })],
    'shipping has not',
  ],
  ['a retry never came', requests, [...ran('archive'), ...failed('shipping', 1)], 'shipping has not ended'],
  ['a run was repeated without notice', requests, [...handled, ...ran('shipping')], 'ran order-1 again'],
  ['a cut-off run was repeated without notice', requests, [run('began'), ...handled], 'ran order-1 again'],
  [
    'a duplicate has no original',
    [sent({ event: 'event-0', duplicate: true })],
    handled,
    'that no bot has seen',
  ],
  [
    'a duplicate names another event',
    [sent(), sent({ event: 'event-2', duplicate: true })],
    handled,
    'as 2 events',
  ],
  [
    'an event ran under two ids',
    requests,
    [...handled, ...ran('archive', { event: 'event-2' })],
    'that nobody was told',
  ],
  [
    'a forgery was accepted',
    [sent(), sent({ key: 'f', genuine: false, event: 'event-2' })],
    handled,
    'forgery f was',
  ],
  [
    'a forgery was stored',
    requests,
    [...handled, ...ran('archive', { key: 'forgery-1', event: 'event-2' })],
    'never acc',
  ],
  ['a genuine request was refused', [sent({ status: 401 }), sent()], handled, 'is genuine and was refused'],
  [
    'a request was given up',
    [sent(), sent({ key: 'order-2', status: null })],
    handled,
    'order-2 was never ack',
  ],
  ['a bot ran what it does not hear', [sent({ source: 'code' })], handled, 'which it does not hear'],
]

test.each(broken)('does not balance when %s', (_, requests, runs, complaint) => {
  const outcome = ledger(requests, runs, hearing)
  expect(balances(outcome)).toBe(false)
  expect([...outcome.lost, ...outcome.faults].join('\n')).toContain(complaint)
})

import type { Ledger, Run, Sent } from './ledger.ts'
import { judge } from './oracle.ts'

const bots = [
  { name: 'audit', hears: () => true },
  { name: 'orders', hears: (type: string) => type.startsWith('orders.') },
]

const sent = (more: Partial<Sent> = {}): Sent => ({
  key: 'k1',
  type: 'orders.created',
  digest: 'd1',
  status: 200,
  duplicate: false,
  event: 'e1',
  ...more,
})
const run = (is: Run['is'], bot: string, more: Partial<Run> = {}): Run => ({
  is,
  bot,
  event: 'e1',
  attempt: 1,
  pid: 1,
  ...(is === 'settled' || is === 'fenced' ? {} : { key: 'k1', digest: 'd1', redelivered: false }),
  ...more,
})
const handled = (bot: string, more: Partial<Run> = {}): Run[] => [
  run('started', bot, more),
  run('done', bot, more),
  run('settled', bot, { attempt: more.attempt ?? 1, pid: more.pid ?? 1 }),
]
const good: Ledger = {
  sent: [sent()],
  runs: [...handled('audit'), ...handled('orders')],
  cuts: [{ pid: 1 }],
  buried: [],
}
const broken = (ledger: Partial<Ledger>): string[] => [
  ...new Set(judge({ ...good, ...ledger }, bots).broken.map((line) => line.split(':')[0]!)),
]

describe('the oracle is content when', () => {
  test('everybody has handled what was acked', () => {
    expect(judge(good, bots)).toMatchObject({ broken: [], counts: { acked: 1, runs: 2, redelivered: 0 } })
  })
  test('what a bot did not handle is in its dead letters', () => {
    expect(
      broken({ runs: handled('audit'), buried: [{ key: 'k1', bot: 'orders', reason: 'permanent' }] }),
    ).toEqual([])
  })
  test('nobody heard of what was never acked', () => {
    expect(broken({ sent: [sent({ status: 0 })], runs: [] })).toEqual([])
  })
  test('a bot did not handle what it does not hear', () => {
    expect(broken({ sent: [sent({ type: 'users.created' })], runs: handled('audit') })).toEqual([])
  })
  test('a run was cut off and the next one says so', () => {
    const again = { pid: 2, attempt: 2, redelivered: true }
    expect(
      broken({ runs: [run('started', 'audit'), ...handled('audit', again), ...handled('orders')] }),
    ).toEqual([])
    const unsettled = [run('started', 'audit'), run('done', 'audit'), ...handled('audit', again)]
    expect(broken({ runs: [...unsettled, ...handled('orders')] })).toEqual([])
  })
  test('a failed run was tried again', () => {
    const failed = [run('started', 'audit'), run('failed', 'audit'), run('settled', 'audit')]
    expect(broken({ runs: [...failed, ...handled('audit', { attempt: 2 }), ...handled('orders')] })).toEqual(
      [],
    )
  })
})

describe('the oracle objects when', () => {
  const only = handled('audit')
  const more = handled('orders')
  test.each<[string, string, Partial<Ledger>]>([
    ['an acked event reached no bot', 'lost', { runs: [] }],
    ['one of two bots never handled it', 'lost', { runs: only }],
    ['a bot began and never finished', 'lost', { runs: [...only, run('started', 'orders')] }],
    [
      'it is in the dead letters of another bot',
      'lost',
      { runs: only, buried: [{ key: 'k1', bot: 'audit', reason: 'permanent' }] },
    ],
    ['a key became two events', 'two events', { sent: [sent(), sent({ event: 'e2' })] }],
    ['a bot got other bytes', 'other bytes', { runs: [...handled('audit', { digest: 'd2' }), ...more] }],
    [
      'a bot ran for what nobody sent',
      'from nowhere',
      { runs: [...good.runs, run('started', 'audit', { key: 'k9', event: 'e9' })] },
    ],
    ['a forged request was answered 2xx', 'unverified', { sent: [sent({ forged: true })], runs: [] }],
    ['a forged request reached a bot', 'unverified', { sent: [sent({ forged: true, status: 401 })] }],
    [
      'a settled delivery ran again',
      'again',
      { runs: [...only, ...handled('audit', { pid: 2, attempt: 2, redelivered: true }), ...more] },
    ],
    [
      'a run was repeated without a cut',
      'again',
      { cuts: [], runs: [run('started', 'audit'), ...handled('audit', { pid: 2, attempt: 2 }), ...more] },
    ],
    [
      'a repeated run did not say so',
      'again',
      { runs: [run('started', 'audit'), ...handled('audit', { pid: 2, attempt: 2 }), ...more] },
    ],
    [
      'a first run says redelivered without a cut',
      'redelivered',
      { cuts: [], runs: [...handled('audit', { redelivered: true }), ...more] },
    ],
  ])('%s', (_, promise, ledger) => {
    expect(broken(ledger)).toEqual([promise])
  })
  test('a duplicate has no original', () => {
    expect(broken({ sent: [sent({ duplicate: true })], runs: [] })).toEqual(['lost', 'false duplicate'])
  })
})

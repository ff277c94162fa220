import { fakeClock } from '@trigger-hub/conformance'
import type { CompanionStore, Delivery, Settled, Verdict } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { Inbox, Runs, type Message } from '@trigger-hub/core/split'
import { changedCompanion } from '../../packages/conformance/src/broken/companions.ts'
import { anEvent } from '../../packages/conformance/src/driver/trial.ts'

const leaseMs = 1_000
const done: Verdict = { is: 'done' }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const turns = async (): Promise<void> => {
  for (let nth = 0; nth < 5; nth++) await turn()
}

/** One bot in as many processes as asked for, over one store. */
function setting(changes: (sound: CompanionStore) => Partial<CompanionStore> = () => ({})) {
  const clock = fakeClock()
  const sound = memory({ clock })
  const store = changedCompanion(sound, changes)
  const event = anEvent()
  const said: string[] = []
  /** A copy of the event's message, which writes down what it is told. */
  const copy = (name: string, fails = false): Message => {
    const say = (what: string) => async (): Promise<void> => {
      said.push(`${name}: ${what}`)
      if (fails) throw new Error('the channel is closed')
    }
    return {
      ...{ event, generation: '', ack: say('ack'), giveBack: say('give back') },
      defer: (ms) => say(`defer ${ms}`)(),
    }
  }
  function worker(clockOfIts = clock) {
    const runs: { delivery: Delivery; end: (verdict?: Verdict) => void }[] = []
    const settled: Settled[] = []
    const errors: unknown[] = []
    const inbox = new Inbox(store, { clock: clockOfIts, leaseMs })
    const all = new Runs('mail', {
      ...{ inbox, clock: clockOfIts, leaseMs },
      handle: (delivery) =>
        new Promise((resolve) => runs.push({ delivery, end: (verdict = done) => resolve(verdict) })),
      onSettled: (_, outcome) => settled.push(outcome),
      onError: (error) => errors.push(error),
    })
    return { all, runs, settled, errors }
  }
  return { clock, store, event, said, copy, worker }
}

const failed = { attempt: 1, startedAt: 1, endedAt: 2, outcome: 'failed' } as const

test('acks a message whose run is done', async () => {
  const { worker, copy, said } = setting()
  const { all, runs, settled } = worker()
  const taken = all.take(copy('one'))
  await turns()
  expect(said).toEqual([])
  runs[0]?.end()
  await taken
  expect([said, settled]).toEqual([['one: ack'], ['settled']])
})

test('runs a delivery once, whatever copies of its message come while it runs and after', async () => {
  const { worker, copy, said } = setting()
  const [here, there] = [worker(), worker()]
  const first = here.all.take(copy('one'))
  await turns()
  await here.all.take(copy('two'))
  await there.all.take(copy('three'))
  expect(said).toEqual(['two: defer 1000', 'three: defer 1000'])
  here.runs[0]?.end()
  await first
  await there.all.take(copy('four'))
  expect(said.slice(2)).toEqual(['one: ack', 'four: ack'])
  expect([here.runs.length, there.runs.length]).toEqual([1, 0])
})

test('defers a retry, and a copy that comes before its time as well', async () => {
  const { worker, copy, said, clock } = setting()
  const { all, runs } = worker()
  const first = all.take(copy('one'))
  await turns()
  runs[0]?.end({ is: 'retry', afterMs: 400, failed })
  await first
  clock.advance(150)
  await all.take(copy('early'))
  expect(said).toEqual(['one: defer 400', 'early: defer 250'])
  clock.advance(250)
  const second = all.take(copy('due'))
  await turns()
  expect(runs[1]?.delivery).toMatchObject({ attempt: 2, history: [failed], redelivered: false })
  runs[1]?.end()
  await second
})

test('takes over from a process that is gone, which costs the attempt', async () => {
  const { worker, copy, clock } = setting()
  const frozen = { ...fakeClock(), now: () => clock.now() } // its timers never run
  const gone = worker(frozen)
  void gone.all.take(copy('one'))
  await turns()
  clock.advance(leaseMs)
  const here = worker()
  void here.all.take(copy('one again'))
  await turns()
  expect(here.runs[0]?.delivery).toMatchObject({
    attempt: 2,
    redelivered: true,
    history: [{ outcome: 'lost' }],
  })
  gone.runs[0]?.end({ is: 'dead-letter', reason: 'exhausted', failed })
  await turns()
  expect(gone.settled).toEqual(['fenced'])
})

test('begins nothing under a lease that ran out while its process was stopped', async () => {
  const itsClock = fakeClock()
  const { worker, copy, said } = setting((sound) => ({
    async claim(...args) {
      const claim = await sound.claim(...args)
      itsClock.advance(leaseMs)
      return claim
    },
  }))
  const { all, runs } = worker(itsClock)
  await all.take(copy('one'))
  expect([said, runs.length]).toEqual([['one: give back'], 0])
})

test('keeps the dead letter before it acks, and none of a run that another has taken over', async () => {
  const order: string[] = []
  const { worker, copy, store } = setting((sound) => ({
    bury: (letter, once) => {
      order.push('bury')
      return sound.bury(letter, once)
    },
  }))
  const { all, runs } = worker()
  const message = copy('one')
  const taken = all.take({ ...message, ack: async () => void order.push('ack') })
  await turns()
  runs[0]?.end({ is: 'dead-letter', reason: 'permanent', failed })
  await taken
  expect(order).toEqual(['bury', 'ack'])
  expect(await store.deadLetters.list()).toMatchObject([
    { bot: 'mail', reason: 'permanent', attempts: [failed] },
  ])
})

test('recognises the end of a run although the broker could not be told', async () => {
  const { worker, copy, said } = setting()
  const { all, runs, settled } = worker()
  const taken = all.take(copy('one', true))
  await turns()
  runs[0]?.end()
  await taken
  await all.take(copy('one again'))
  expect([said, settled, runs.length]).toEqual([['one: ack', 'one again: ack'], ['settled'], 1])
})

test('waits for a store that is away, before a run and after it', async () => {
  let isAway = true
  const { worker, copy, clock, said } = setting((sound) => ({
    claim: (...args) => (isAway ? Promise.reject(new Error('away')) : sound.claim(...args)),
    complete: (...args) => (isAway ? Promise.reject(new Error('away')) : sound.complete(...args)),
  }))
  const { all, runs, errors, settled } = worker()
  const taken = all.take(copy('one'))
  await turns()
  expect([runs.length, errors.length]).toEqual([0, 1])
  isAway = false
  clock.advance(100)
  await turns()
  isAway = true
  runs[0]?.end()
  await turns()
  expect([said, settled]).toEqual([[], []])
  isAway = false
  clock.advance(100)
  await taken
  expect([said, settled]).toEqual([['one: ack'], ['settled']])
})

test('costs no attempt when the answer of the store was lost, and a wait that is not over stays one', async () => {
  let isLost = true
  const { worker, copy, clock, said } = setting((sound) => ({
    async claim(...args) {
      const claim = await sound.claim(...args)
      if (isLost) throw new Error('the answer was lost')
      return claim
    },
  }))
  const { all, runs } = worker()
  const taken = all.take(copy('one'))
  await turns()
  isLost = false
  clock.advance(100)
  await turns()
  expect(runs[0]?.delivery).toMatchObject({ attempt: 1, history: [], redelivered: false })
  runs[0]?.end({ is: 'retry', afterMs: 60_000, failed })
  await taken
  isLost = true
  const early = all.take(copy('early'))
  await turns()
  isLost = false
  clock.advance(100)
  await early
  expect(said[1]).toMatch(/^early: defer 59/)
})

test('gives back at the deadline of a drain what still runs, and refuses its late verdict', async () => {
  const { worker, copy, said, clock } = setting()
  const { all, runs, settled } = worker()
  void all.take(copy('one'))
  await turns()
  const drained = all.drain(300)
  clock.advance(300)
  await drained
  expect([said, runs[0]?.delivery.lost.aborted]).toEqual([['one: give back'], true])
  runs[0]?.end()
  await turns()
  expect(settled).toEqual(['fenced'])
  await all.take(copy('too late'))
  expect(said).toEqual(['one: give back', 'too late: give back'])
  const next = worker()
  void next.all.take(copy('one again'))
  await turns()
  expect(next.runs[0]?.delivery).toMatchObject({ attempt: 1, redelivered: true, history: [] })
})

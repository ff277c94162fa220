import assert from 'node:assert/strict'
import type { Cases } from '../runner.ts'
import {
  anEvent,
  attemptsOf,
  deadLetter,
  done,
  eventsOf,
  inTurn,
  release,
  retryAfter,
  succeed,
  type DriverTrial,
} from './trial.ts'

export const delivering: Cases<DriverTrial> = {
  async 'gives an event to every bot whose pattern matches, and to no other'(trial) {
    await trial.declare(
      { name: 'mail', on: ['shop:orders.*'] },
      { name: 'stock', on: ['bank:**', '*:orders.create'] },
      { name: 'stats', on: ['shop:refunds.**'] },
    )
    const event = anEvent()
    await trial.accept(event)
    const mail = await trial.work('mail')
    const stock = await trial.work('stock')
    const stats = await trial.work('stats')
    await trial.eventually('both run', () => mail.runs.length > 0 && stock.runs.length > 0)
    await trial.quiet()
    assert.deepEqual([eventsOf(mail), eventsOf(stock), eventsOf(stats)], [[event.id], [event.id], []])
  },

  async 'delivers what comes while a bot consumes'(trial) {
    await trial.declare('mail')
    const mail = await trial.work('mail')
    await trial.quiet()
    const ids = await trial.acceptMany(3)
    await trial.eventually('all run', () => mail.runs.length === 3)
    assert.deepEqual(eventsOf(mail), ids)
  },

  async 'hands out events in the order in which they were accepted'(trial) {
    await trial.declare('mail')
    const ids = await trial.acceptMany(25)
    const mail = await trial.work('mail')
    await trial.eventually('all run', () => mail.runs.length === 25)
    assert.deepEqual(eventsOf(mail), ids)
  },

  async 'runs as many attempts of a bot at a time as asked, and no more'(trial) {
    await trial.declare('mail')
    const ids = await trial.acceptMany(10)
    let running = 0
    let most = 0
    const mail = await trial.work(
      'mail',
      async () => {
        most = Math.max(most, ++running)
        await trial.eventually('three run', () => most >= 3)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        return done
      },
      { concurrency: 3 },
    )
    await trial.eventually('all are settled', () => mail.settled.length === 10)
    assert.equal(most, 3)
    assert.deepEqual(eventsOf(mail).sort(), ids.sort())
  },

  async 'lets every bot go on at its own pace'(trial) {
    await trial.declare('mail', 'stock')
    await trial.acceptMany(5)
    const { behaviour } = trial.held()
    const mail = await trial.work('mail', behaviour)
    const stock = await trial.work('stock')
    await trial.eventually('the one bot is through', () => stock.runs.length === 5)
    await trial.eventually('the other one has begun', () => mail.runs.length > 0)
    assert.equal(mail.runs.length, 1)
  },

  async 'does not run another bot again when one fails'(trial) {
    await trial.declare('mail', 'stock')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(0), retryAfter(50), succeed))
    const stock = await trial.work('stock')
    await trial.eventually('the third succeeded', () => mail.settled.length === 3 && stock.runs.length > 0)
    await trial.quiet()
    assert.deepEqual([attemptsOf(mail), attemptsOf(stock)], [[1, 2, 3], [1]])
  },

  async 'says of every verdict that it was carried out'(trial) {
    await trial.declare('mail')
    await trial.acceptMany(2)
    const mail = await trial.work('mail', inTurn(release(false), retryAfter(0), succeed, deadLetter()))
    await trial.eventually('all are settled', () => mail.settled.length === 4)
    assert.deepEqual(mail.settled.map(({ is }) => is).sort(), ['dead-letter', 'done', 'release', 'retry'])
    assert(mail.settled.every(({ outcome }) => outcome === 'settled'))
  },

  async 'names a delivery the same for every attempt, and differently for every bot'(trial) {
    await trial.declare('mail', 'stock')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(0), succeed))
    const stock = await trial.work('stock')
    await trial.eventually('all run', () => mail.runs.length === 2 && stock.runs.length === 1)
    const [first, second] = mail.runs.map(({ delivery }) => delivery.id)
    assert.equal(first, second)
    assert.notEqual(first, stock.runs[0]?.delivery.id)
    assert.deepEqual([mail.runs[0]?.delivery.bot, stock.runs[0]?.delivery.bot], ['mail', 'stock'])
  },

  async 'begins with attempt 1, without a history, not redelivered and not lost'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail')
    const run = await trial.eventually('it runs', () => mail.runs[0])
    const { attempt, history, redelivered, lost } = run.delivery
    assert.deepEqual([attempt, history, redelivered, lost.aborted], [1, [], false, false])
  },
}

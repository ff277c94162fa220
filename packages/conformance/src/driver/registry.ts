import assert from 'node:assert/strict'
import type { BotReport } from '@trigger-hub/core'
import type { Cases } from '../runner.ts'
import {
  anEvent,
  deadLetter,
  eventsOf,
  inTurn,
  retryAfter,
  sorted,
  succeed,
  type DriverTrial,
} from './trial.ts'

async function reportOf(trial: DriverTrial, bot: string): Promise<BotReport | undefined> {
  const { bots } = await trial.driver.inspect()
  return bots.find(({ name }) => name === bot)
}

export const registry: Cases<DriverTrial> = {
  async 'shows a bot what is accepted after its first declaration, and nothing before'(trial) {
    await trial.declare('mail')
    await trial.acceptMany(2)
    await trial.declare('mail', 'stock')
    const later = await trial.acceptMany(2)
    const stock = await trial.work('stock')
    await trial.eventually('what came later runs', () => stock.runs.length >= 2)
    await trial.quiet()
    assert.deepEqual(eventsOf(stock), later)
  },

  async 'changes nothing when a bot is declared again'(trial) {
    await trial.declare('mail')
    const ids = await trial.acceptMany(2)
    await trial.declare('mail')
    const mail = await trial.work('mail')
    await trial.eventually('both run', () => mail.runs.length >= 2)
    await trial.declare('mail')
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), ids)
  },

  async 'goes on collecting for a bot that is declared no more, and reports it'(trial) {
    await trial.declare('mail', { name: 'stock', on: ['shop:**'] })
    await trial.declare('mail')
    const ids = await trial.acceptMany(2)
    const stock = await reportOf(trial, 'stock')
    assert.deepEqual([stock?.on, stock?.backlog], [['shop:**'], 2])
    const worker = await trial.work('stock')
    await trial.eventually('both run', () => worker.runs.length === 2)
    assert.deepEqual(eventsOf(worker), ids)
  },

  async 'goes by a changed pattern for what is accepted from then on'(trial) {
    const order = () => anEvent({ type: 'orders.create' })
    const refund = () => anEvent({ type: 'refunds.create' })
    await trial.declare({ name: 'mail', on: ['shop:orders.*'] })
    const [before, unseen] = [order(), refund()]
    await trial.accept(before)
    await trial.accept(unseen)
    await trial.declare({ name: 'mail', on: ['shop:refunds.*'] })
    const [unwanted, after] = [order(), refund()]
    await trial.accept(unwanted)
    await trial.accept(after)
    assert.deepEqual((await reportOf(trial, 'mail'))?.on, ['shop:refunds.*'])
    const mail = await trial.work('mail')
    await trial.eventually('what it wanted at the time runs', () => mail.runs.length >= 2)
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), [before.id, after.id])
  },

  async 'counts what no bot wanted, and gives it to nobody later'(trial) {
    await trial.declare({ name: 'mail', on: ['bank:**'] })
    const event = anEvent()
    assert.deepEqual(await trial.accept(event, { key: 'key' }), { is: 'accepted', id: event.id })
    assert.equal((await trial.accept(event, { key: 'key' })).is, 'duplicate')
    assert.equal((await trial.driver.inspect()).unmatched, 1)
    await trial.declare({ name: 'mail', on: ['*:**'] }, 'stock')
    const mail = await trial.work('mail')
    const stock = await trial.work('stock')
    await trial.quiet()
    assert.deepEqual([mail.runs.length, stock.runs.length], [0, 0])
  },

  async 'accepts also while no bot was ever declared'(trial) {
    await trial.declare()
    assert.equal((await trial.accept()).is, 'accepted')
    const { bots, unmatched } = await trial.driver.inspect()
    assert.deepEqual([bots, unmatched], [[], 1])
  },

  async 'counts backlog, waiting, running and dead letters of every bot'(trial) {
    await trial.declare('mail', 'stock')
    const { behaviour } = trial.held()
    const mail = await trial.work('mail', inTurn(deadLetter(), retryAfter(60_000), behaviour))
    await trial.acceptMany(5)
    await trial.eventually('the third runs', () => mail.settled.length === 2 && mail.runs.length === 3)
    const counts = ({ backlog, waiting, running, deadLetters }: BotReport) => [
      backlog,
      waiting,
      running,
      deadLetters,
    ]
    const { bots, summary, warnings, quarantined, unmatched } = await trial.driver.inspect()
    assert.deepEqual(Object.fromEntries(bots.map((bot) => [bot.name, counts(bot)])), {
      mail: [2, 1, 1, 1],
      stock: [5, 0, 0, 0],
    })
    assert(summary.length > 0 && !summary.includes('\n'), 'the summary is one line')
    assert(Array.isArray(warnings))
    assert.deepEqual([quarantined, unmatched], [0, 0])
  },

  async 'moves the backlog and the retries of a retired bot to the dead letters'(trial) {
    await trial.declare('mail', 'stock')
    const ids = await trial.acceptMany(3)
    const before = await trial.work('mail', retryAfter(1_000))
    await trial.eventually('one waits', () => before.settled.length > 0)
    await trial.time.settled('the drain', before.drain(1_000))
    await trial.driver.retire('mail')
    assert.equal(await reportOf(trial, 'mail'), undefined)
    // a broker finds out about a retry when its wait is over
    const letters = await trial.eventually('all are dead letters', async () => {
      const found = await trial.driver.deadLetters.list({ reason: 'retired' })
      return found.length >= ids.length ? found : undefined
    })
    assert.deepEqual(sorted(letters.map(({ event }) => event.id)), sorted(ids))
    assert(letters.every(({ bot }) => bot === 'mail'))
    const failed = letters.filter(({ attempts }) => attempts.length === 1)
    assert.equal(failed.length, before.settled.length)
    const stock = await trial.work('stock')
    await trial.eventually('the other bot has its own', () => stock.runs.length === 3)
  },

  async 'loses nothing that runs while its bot is retired'(trial) {
    await trial.declare('mail')
    const { behaviour, end } = trial.held()
    const mail = await trial.work('mail', behaviour)
    const [id] = await trial.acceptMany(1)
    const run = await trial.eventually('it runs', () => mail.runs[0])
    await trial.driver.retire('mail')
    end(retryAfter(100)(run.delivery))
    await trial.eventually('the end of the run is known', () => mail.settled.length === 1)
    const letters = await trial.eventually('it is a dead letter', async () => {
      const found = await trial.driver.deadLetters.list({ bot: 'mail' })
      return found.length > 0 ? found : undefined
    })
    assert.deepEqual(
      letters.map(({ event }) => event.id),
      [id],
    )
    await trial.pass(200)
    assert.equal(mail.runs.length, 1)
  },

  async 'lets a bot that was retired begin afresh'(trial) {
    await trial.declare('mail')
    await trial.acceptMany(2)
    await trial.driver.retire('mail')
    await trial.acceptMany(1)
    await trial.declare('mail')
    const later = await trial.acceptMany(1)
    const mail = await trial.work('mail', succeed)
    await trial.eventually('what came later runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), later)
  },

  async 'retires a bot that it does not know without a word'(trial) {
    await trial.declare('mail')
    await trial.driver.retire('nobody')
    assert.deepEqual(
      (await trial.driver.inspect()).bots.map(({ name }) => name),
      ['mail'],
    )
  },
}

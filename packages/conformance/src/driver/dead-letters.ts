import assert from 'node:assert/strict'
import type { DeadLetter, DeadLetterFilter } from '@trigger-hub/core'
import type { Cases } from '../runner.ts'
import {
  anEvent,
  attemptsOf,
  deadLetter,
  done,
  eventsOf,
  failedAttempt,
  inTurn,
  repeated,
  retryAfter,
  sorted,
  succeed,
  type DriverTrial,
} from './trial.ts'

/** A bot gives up on `count` events, one after the other. Resolves to its dead letters. */
async function buried(trial: DriverTrial, bot: string, count = 1): Promise<DeadLetter[]> {
  const worker = await trial.work(bot, deadLetter())
  await trial.acceptMany(count)
  await trial.eventually('the bot gave up', () => worker.settled.length >= count)
  await trial.time.settled('the drain', worker.drain(1_000))
  return trial.driver.deadLetters.list({ bot })
}

const ids = (letters: readonly DeadLetter[]): string[] => letters.map(({ id }) => id)

export const deadLetters: Cases<DriverTrial> = {
  async 'keeps the event, the reason and every attempt of a delivery that was given up on'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event)
    const before = trial.time.now()
    const mail = await trial.work('mail', inTurn(retryAfter(0), deadLetter('permanent')))
    await trial.eventually('the bot gave up', () => mail.settled.length === 2)
    const [letter, ...more] = await trial.driver.deadLetters.list()
    assert(letter)
    assert.deepEqual(more, [])
    assert.deepEqual(
      [letter.bot, letter.reason, letter.event.id, letter.event.rawBody],
      ['mail', 'permanent', event.id, event.rawBody],
    )
    assert.deepEqual(
      letter.attempts,
      mail.runs.map(({ delivery }) => failedAttempt(delivery)),
    )
    assert(letter.at >= before && letter.at <= trial.time.now(), 'it says when')
    assert.deepEqual(await trial.driver.deadLetters.read(letter.id), letter)
  },

  async 'needs no last attempt to give up'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const verdict = { is: 'dead-letter', reason: 'exhausted' } as const
    const mail = await trial.work(
      'mail',
      inTurn(retryAfter(0), () => verdict),
    )
    await trial.eventually('the bot gave up', () => mail.settled.length === 2)
    const [letter] = await trial.driver.deadLetters.list()
    assert.deepEqual(
      letter?.attempts.map(({ attempt }) => attempt),
      [1],
    )
  },

  async 'does not run a dead delivery again'(trial) {
    await trial.declare('mail')
    const mail = await trial.work('mail', deadLetter())
    await trial.accept()
    await trial.eventually('the bot gave up', () => mail.settled.length >= 1)
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  },

  async 'lists by bot, reason, event and time'(trial) {
    await trial.declare('mail', 'stock')
    const mail = await trial.work('mail', inTurn(deadLetter('exhausted'), deadLetter('permanent')))
    const stock = await trial.work('stock', deadLetter('schema'))
    const [first] = await trial.acceptMany(1)
    await trial.eventually('both gave up', () => mail.settled.length === 1 && stock.settled.length === 1)
    await trial.pass(100)
    const since = trial.time.now()
    const [second] = await trial.acceptMany(1)
    await trial.eventually('both gave up', () => mail.settled.length === 2 && stock.settled.length === 2)
    assert(first !== undefined && second !== undefined)
    const wanted: readonly [DeadLetterFilter, number][] = [
      [{}, 4],
      [{ bot: 'mail' }, 2],
      [{ bot: 'nobody' }, 0],
      [{ reason: 'schema' }, 2],
      [{ bot: 'mail', reason: 'permanent' }, 1],
      [{ event: first }, 2],
      [{ event: second, bot: 'stock' }, 1],
      [{ since }, 2],
      [{ since: trial.time.now() + 60_000 }, 0],
    ]
    for (const [filter, count] of wanted) {
      const letters = await trial.driver.deadLetters.list(filter)
      assert.equal(letters.length, count, JSON.stringify(filter))
      for (const { bot, reason, event, at } of letters) {
        const found = { bot, reason, event: event.id }
        assert.deepEqual({ ...found, ...filter, since: 0 }, { ...found, since: 0 })
        assert(at >= (filter.since ?? 0), 'not before the time that was asked for')
      }
    }
  },

  async 'lists oldest first, in pages'(trial) {
    await trial.declare('mail')
    const all = await buried(trial, 'mail', 7)
    const { deadLetters } = trial.driver
    assert.deepEqual(
      all.map(({ event }) => event.rawBody.toString()),
      Array.from({ length: 7 }, (_, nth) => `{"nth":${nth}}`),
    )
    const pages: string[][] = []
    for (let nth = 0; nth < 4; nth++) {
      const after = pages.at(-1)?.at(-1)
      pages.push(ids(await deadLetters.list({ bot: 'mail', limit: 3, ...(after ? { after } : {}) })))
    }
    assert.deepEqual(pages, [ids(all).slice(0, 3), ids(all).slice(3, 6), ids(all).slice(6), []])
  },

  async 'finds the next page after its predecessor was redriven and discarded'(trial) {
    await trial.declare('mail')
    const all = await buried(trial, 'mail', 6)
    const { deadLetters } = trial.driver
    const [first, second] = await deadLetters.list({ limit: 2 })
    await deadLetters.redrive(first?.id ?? '')
    await deadLetters.discard(second?.id ?? '')
    assert.deepEqual(ids(await deadLetters.list({ limit: 2, after: second?.id ?? '' })), ids(all).slice(2, 4))
  },

  async 'has nothing to say about an id that it does not know'(trial) {
    await trial.declare('mail')
    const { deadLetters } = trial.driver
    for (const id of ['nothing', '', '1', '0.x', "'; --", '\u0000']) {
      assert.equal(await deadLetters.read(id), undefined)
      assert.equal(await deadLetters.redrive(id), 0)
      assert.equal(await deadLetters.discard(id), 0)
    }
  },

  async 'redrives one as attempt 1, for its own bot alone'(trial) {
    await trial.declare('mail', 'stock')
    const stock = await trial.work('stock')
    const [letter] = await buried(trial, 'mail')
    assert(letter)
    assert.equal(await trial.driver.deadLetters.redrive(letter.id), 1)
    const mail = await trial.work('mail')
    const run = await trial.eventually('the redriven one runs', () => mail.runs[0])
    const { attempt, history, redelivered, event } = run.delivery
    assert.deepEqual([attempt, history, redelivered, event.id], [1, [], false, letter.event.id])
    assert.deepEqual(event.rawBody, letter.event.rawBody)
    await trial.eventually('the other bot has run', () => stock.runs.length > 0)
    await trial.quiet()
    assert.deepEqual([mail.runs.length, stock.runs.length], [1, 1])
    assert.deepEqual(await trial.driver.deadLetters.list(), [])
  },

  async 'redrives once what is redriven twice'(trial) {
    await trial.declare('mail')
    const [letter] = await buried(trial, 'mail')
    assert(letter)
    const redriven = await Promise.all([1, 2, 3].map(() => trial.driver.deadLetters.redrive(letter.id)))
    assert.deepEqual(redriven.sort(), [0, 0, 1])
    const mail = await trial.work('mail')
    await trial.eventually('it runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  },

  async 'gives a delivery that dies again a new id, so that an old redrive finds nothing'(trial) {
    await trial.declare('mail')
    const [first] = await buried(trial, 'mail')
    assert(first)
    await trial.driver.deadLetters.redrive(first.id)
    const mail = await trial.work('mail', deadLetter('permanent'))
    await trial.eventually('the bot gave up again', () => mail.settled.length === 1)
    const [second, ...more] = await trial.driver.deadLetters.list()
    assert(second)
    assert.deepEqual([second.event.id, second.reason, more], [first.event.id, 'permanent', []])
    assert.notEqual(second.id, first.id)
    assert.equal(await trial.driver.deadLetters.redrive(first.id), 0)
    assert.equal(await trial.driver.deadLetters.read(first.id), undefined)
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  },

  async 'redrives all that a filter names'(trial) {
    await trial.declare('mail', 'stock')
    const all = await buried(trial, 'mail', 3)
    const others = await buried(trial, 'stock', 2) // which leaves two more for mail
    assert.equal(await trial.driver.deadLetters.redrive({ bot: 'mail' }), 3)
    assert.equal(await trial.driver.deadLetters.redrive({ bot: 'mail' }), 0)
    assert.equal((await trial.driver.deadLetters.list()).length, others.length)
    const mail = await trial.work('mail')
    await trial.eventually('all run', () => mail.runs.length === 5)
    const again = new Set(eventsOf(mail))
    assert(all.every(({ event }) => again.has(event.id)))
  },

  async 'discards for good, by id and by filter'(trial) {
    await trial.declare('mail')
    const [first, second] = await buried(trial, 'mail', 3)
    assert(first && second)
    const { deadLetters } = trial.driver
    assert.equal(await deadLetters.discard(first.id), 1)
    assert.equal(await deadLetters.discard(first.id), 0)
    assert.equal(await deadLetters.redrive(first.id), 0)
    assert.equal(await deadLetters.discard({ event: second.event.id }), 1)
    assert.equal(await deadLetters.discard({ reason: 'exhausted' }), 1)
    assert.deepEqual(await deadLetters.list(), [])
    const mail = await trial.work('mail')
    await trial.quiet()
    assert.equal(mail.runs.length, 0)
  },

  async 'tells a repeat how many dead letters its event has'(trial) {
    await trial.declare('mail', 'stock', 'stats')
    const event = anEvent()
    await trial.accept(event, { key: 'key' })
    const mail = await trial.work('mail', inTurn(deadLetter(), succeed))
    const stock = await trial.work('stock', deadLetter())
    const stats = await trial.work('stats')
    await trial.eventually('all are settled', () =>
      [mail, stock, stats].every(({ settled }) => settled.length === 1),
    )
    const repeat = () => trial.accept(repeated(event), { key: 'key' })
    assert.deepEqual(await repeat(), { is: 'duplicate', id: event.id, deadLetters: 2 })
    const [letter] = await trial.driver.deadLetters.list({ bot: 'mail' })
    await trial.driver.deadLetters.redrive(letter?.id ?? '')
    await trial.eventually('the redriven one is handled', () => mail.settled.length === 2)
    assert.deepEqual(await repeat(), { is: 'duplicate', id: event.id, deadLetters: 1 })
  },

  async 'gives a redriven event out of quarantine to every bot that wants it'(trial) {
    await trial.declare('mail', { name: 'stock', on: ['shop:orders.*'] }, { name: 'stats', on: ['bank:**'] })
    const event = anEvent()
    await trial.accept(event, { quarantine: true })
    const [letter] = await trial.driver.deadLetters.list({ reason: 'key-reused' })
    assert(letter)
    assert.equal(await trial.driver.deadLetters.redrive(letter.id), 1)
    assert.equal(await trial.driver.deadLetters.redrive(letter.id), 0)
    const workers = await Promise.all(['mail', 'stock', 'stats'].map((bot) => trial.work(bot)))
    await trial.eventually('both run', () => workers.slice(0, 2).every(({ runs }) => runs.length > 0))
    await trial.quiet()
    assert.deepEqual(workers.map(eventsOf), [[event.id], [event.id], []])
    assert.deepEqual(workers.map(attemptsOf), [[1], [1], []])
    assert.equal((await trial.driver.inspect()).quarantined, 0)
  },

  async 'keeps the dead letter of a retired bot until the bot is declared again'(trial) {
    await trial.declare('mail')
    const [letter] = await buried(trial, 'mail')
    await trial.driver.retire('mail')
    assert.deepEqual(ids(await trial.driver.deadLetters.list({ bot: 'mail' })), [letter?.id])
    await trial.declare('mail')
    assert.equal(await trial.driver.deadLetters.redrive(letter?.id ?? ''), 1)
    const mail = await trial.work('mail')
    await trial.eventually('it runs', () => mail.runs.length === 1)
    assert.deepEqual(eventsOf(mail), [letter?.event.id])
  },

  async 'does not hold up other events while it buries one'(trial) {
    await trial.declare('mail')
    const accepted = await trial.acceptMany(20)
    const doomed = new Set(accepted.filter((_, nth) => nth % 3 === 0))
    const mail = await trial.work(
      'mail',
      (delivery) => (doomed.has(delivery.event.id) ? deadLetter()(delivery) : done),
      { concurrency: 4 },
    )
    await trial.eventually('all are settled', () => mail.settled.length === 20)
    const letters = await trial.driver.deadLetters.list()
    assert.deepEqual(sorted(letters.map(({ event }) => event.id)), sorted([...doomed]))
    assert.deepEqual(sorted(eventsOf(mail)), sorted(accepted))
  },
}

import assert from 'node:assert/strict'
import type { Cases } from '../runner.ts'
import {
  attemptsOf,
  done,
  eventsOf,
  failedAttempt,
  inTurn,
  retryAfter,
  succeed,
  type DriverTrial,
} from './trial.ts'

export const retrying: Cases<DriverTrial> = {
  async 'runs the next attempt after the wait that was given, not before'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(1_000), succeed))
    await trial.eventually('the first attempt failed', () => mail.settled.length === 1)
    await trial.pass(1_100)
    const second = await trial.eventually('the second attempt runs', () => mail.runs[1])
    assert(second.at - mail.runs[0]!.at >= 1_000, 'not before its time')
    assert.deepEqual(attemptsOf(mail), [1, 2])
  },

  async 'retries at once when there is nothing to wait for'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(0), succeed))
    await trial.eventually('the second attempt runs', () => mail.runs.length === 2)
  },

  async 'hands over every failed attempt, oldest first'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(0), retryAfter(0), succeed))
    await trial.eventually('the third attempt runs', () => mail.runs.length === 3)
    const deliveries = mail.runs.map(({ delivery }) => delivery)
    const failures = deliveries.slice(0, 2).map(failedAttempt)
    assert.deepEqual(
      deliveries.map(({ history }) => history),
      [[], failures.slice(0, 1), failures],
    )
  },

  async 'does not call a retry redelivered'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(retryAfter(0), succeed))
    await trial.eventually('the second attempt runs', () => mail.runs.length === 2)
    assert.equal(mail.runs[1]?.delivery.redelivered, false)
  },

  async 'goes on with other events while one waits'(trial) {
    await trial.declare('mail')
    const [first, second, third] = await trial.acceptMany(3)
    const mail = await trial.work('mail', inTurn(retryAfter(60_000), succeed))
    await trial.eventually('the others run', () => mail.runs.length === 3)
    assert.deepEqual(eventsOf(mail), [first, second, third])
  },

  async 'runs the shorter of two waits first'(trial) {
    await trial.declare('mail')
    const [long, short] = await trial.acceptMany(2)
    const mail = await trial.work('mail', inTurn(retryAfter(1_500), retryAfter(300), succeed))
    await trial.eventually('both failed', () => mail.settled.length >= 2)
    await trial.pass(400)
    await trial.eventually('the shorter is over', () => mail.runs.length >= 3)
    await trial.pass(1_200)
    await trial.eventually('the longer is over', () => mail.runs.length === 4)
    assert.deepEqual(eventsOf(mail), [long, short, short, long])
    const [first, second, third, fourth] = mail.runs.map(({ at }) => at) as [number, number, number, number]
    assert(third - second >= 300 && fourth - first >= 1_500, 'neither before its time')
  },

  async 'does not let a backlog hold up a retry that is due'(trial) {
    await trial.declare('mail')
    const [failing] = await trial.acceptMany(40)
    let isOver = false
    const mail = await trial.work('mail', async (delivery) => {
      if (delivery.event.id === failing && delivery.attempt === 1) return retryAfter(0)(delivery)
      isOver ||= delivery.event.id === failing
      if (!isOver) await new Promise((resolve) => setTimeout(resolve, 50)) // long enough for a retry to come back
      return done
    })
    await trial.eventually('all are through', () => mail.settled.length === 41)
    assert(eventsOf(mail).lastIndexOf(failing ?? '') < 30, 'the retry does not queue behind the backlog')
  },

  async 'keeps a wait that no consumer is there for'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const before = await trial.work('mail', retryAfter(1_000))
    await trial.eventually('the first attempt failed', () => before.settled.length === 1)
    await trial.time.settled('the drain', before.drain(1_000))
    const after = await trial.work('mail')
    await trial.pass(1_100)
    const second = await trial.eventually('the second attempt runs', () => after.runs[0])
    assert(second.at - before.runs[0]!.at >= 1_000, 'not before its time')
    await trial.quiet()
    assert.deepEqual(attemptsOf(after), [2])
  },
}

import assert from 'node:assert/strict'
import { WebhookError } from '@trigger-hub/core'
import type { Cases } from '../runner.ts'
import { attemptsOf, eventsOf, inTurn, release, succeed, type DriverTrial } from './trial.ts'

export const stopping: Cases<DriverTrial> = {
  async 'takes a released delivery back at no cost'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(release(false), succeed))
    await trial.eventually('it runs again', () => mail.runs.length === 2)
    const { attempt, history, redelivered } = mail.runs[1]!.delivery
    assert.deepEqual([attempt, history, redelivered], [1, [], false])
  },

  async 'says redelivered when the released attempt had begun'(trial) {
    await trial.declare('mail')
    await trial.accept()
    const mail = await trial.work('mail', inTurn(release(true), succeed))
    await trial.eventually('it runs again', () => mail.runs.length === 2)
    const { attempt, history, redelivered } = mail.runs[1]!.delivery
    assert.deepEqual([attempt, history, redelivered], [1, [], true])
  },

  async 'hands out nothing more once it drains'(trial) {
    await trial.declare('mail')
    const before = await trial.work('mail')
    await trial.time.settled('the drain', before.drain(1_000))
    const ids = await trial.acceptMany(3)
    await trial.quiet()
    assert.equal(before.runs.length, 0)
    const after = await trial.work('mail')
    await trial.eventually('all run', () => after.runs.length === 3)
    assert.deepEqual(eventsOf(after), ids)
  },

  async 'waits for what runs when it drains, and carries its verdict out'(trial) {
    await trial.declare('mail')
    const { behaviour, end } = trial.held()
    const mail = await trial.work('mail', behaviour)
    await trial.acceptMany(2)
    await trial.eventually('it runs', () => mail.runs.length === 1)
    let drained = false
    const drain = mail.drain(60_000).then(() => (drained = true))
    await trial.quiet()
    assert.equal(drained, false)
    assert.equal(mail.runs[0]?.delivery.lost.aborted, false)
    end()
    await trial.time.settled('the drain', drain)
    assert.deepEqual(
      mail.settled.map(({ outcome }) => outcome),
      ['settled'],
    )
    const after = await trial.work('mail')
    await trial.eventually('the other event runs', () => after.runs.length > 0)
    await trial.quiet()
    assert.deepEqual([mail.runs.length, after.runs.length], [1, 1])
  },

  async 'gives back at the deadline what still runs, at no cost, and refuses its late verdict'(trial) {
    await trial.declare('mail')
    const { behaviour, end } = trial.held()
    const before = await trial.work('mail', behaviour)
    const [id] = await trial.acceptMany(1)
    const run = await trial.eventually('it runs', () => before.runs[0])
    const drain = before.drain(300)
    await trial.pass(400)
    await trial.time.settled('the drain', drain)
    assert.equal(run.delivery.lost.aborted, true)
    const after = await trial.work('mail', trial.held().behaviour)
    const again = await trial.eventually('it runs again', () => after.runs[0])
    assert.deepEqual(
      [again.delivery.event.id, again.delivery.attempt, again.delivery.redelivered],
      [id, 1, true],
    )
    end()
    await trial.eventually('the late verdict is answered', () => before.settled.length === 1)
    assert.equal(before.settled[0]?.outcome, 'fenced')
    assert.equal(after.runs[0]?.delivery.lost.aborted, false)
    assert.equal((await trial.driver.inspect()).bots[0]?.running, 1)
  },

  async 'drains twice without harm'(trial) {
    await trial.declare('mail')
    const { behaviour, end } = trial.held()
    const mail = await trial.work('mail', behaviour)
    await trial.acceptMany(1)
    await trial.eventually('it runs', () => mail.runs.length === 1)
    const drains = [mail.drain(60_000), mail.drain(60_000)]
    end()
    await trial.time.settled('both drains', Promise.all(drains))
    await trial.time.settled('a third drain', mail.drain(1_000))
    assert.deepEqual(attemptsOf(mail), [1])
  },

  async 'closes twice without harm'(trial) {
    await trial.declare('mail')
    await trial.time.settled('both closes', Promise.all([trial.driver.close(), trial.driver.close()]))
    await trial.time.settled('a third close', trial.driver.close())
  },

  async 'closes while it opens'(trial) {
    const opening = trial.declare('mail').catch((error: unknown) => error)
    await trial.time.settled('the close', trial.driver.close())
    await trial.time.settled('the opening', opening)
  },

  async 'closes although it was never opened'(trial) {
    await trial.time.settled('the close', trial.driver.close())
  },

  async 'accepts nothing once it is closed: the sender is to come again'(trial) {
    await trial.declare('mail')
    await trial.driver.close()
    await assert.rejects(trial.accept(), (error) => {
      assert(WebhookError.is(error), 'the error is a WebhookError')
      assert.deepEqual([error.code, error.status, error.retryable], ['ERR_DRIVER_UNAVAILABLE', 503, true])
      return true
    })
  },
}

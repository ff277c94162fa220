import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Cases } from '../runner.ts'
import { anEvent, attemptsOf, eventsOf, repeated, type DriverTrial } from './trial.ts'

export const accepting: Cases<DriverTrial> = {
  async 'accepts an event and answers with its id'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    assert.deepEqual(await trial.accept(event), { is: 'accepted', id: event.id })
  },

  async 'has the event when it says so'(trial) {
    await trial.declare('mail')
    await trial.accept()
    assert.equal((await trial.driver.inspect()).bots[0]?.backlog, 1)
  },

  async 'answers a repeat with the id of the original and delivers it once'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event, { key: 'key' })
    const answer = await trial.accept(repeated(event), { key: 'key' })
    assert.deepEqual(answer, { is: 'duplicate', id: event.id, deadLetters: 0 })
    const mail = await trial.work('mail')
    await trial.eventually('the event runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), [event.id])
  },

  async 'answers a repeat of a handled event the same way'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const mail = await trial.work('mail')
    await trial.accept(event, { key: 'key' })
    await trial.eventually('the event is settled', () => mail.settled.length === 1)
    const answer = await trial.accept(repeated(event), { key: 'key' })
    assert.deepEqual(answer, { is: 'duplicate', id: event.id, deadLetters: 0 })
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  },

  async 'stores one event for 100 identical accepts at once'(trial) {
    await trial.declare('mail', 'stock')
    const event = anEvent()
    const all = Array.from({ length: 100 }, () => trial.accept(repeated(event), { key: 'key' }))
    const answers = await Promise.all(all)
    const original = answers.find(({ is }) => is === 'accepted')
    assert(original?.is === 'accepted', 'one of them is accepted')
    for (const answer of answers) {
      if (answer === original || answer.is === 'busy') continue
      assert.deepEqual(answer, { is: 'duplicate', id: original.id, deadLetters: 0 })
    }
    const mail = await trial.work('mail', undefined, { concurrency: 10 })
    const stock = await trial.work('stock', undefined, { concurrency: 10 })
    await trial.eventually('both bots run', () => mail.runs.length > 0 && stock.runs.length > 0)
    await trial.quiet()
    assert.deepEqual([eventsOf(mail), eventsOf(stock)], [[original.id], [original.id]])
  },

  async 'recognises its own event when a command is sent again'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const options = { key: 'key', token: randomUUID() }
    await trial.accept(event, options)
    assert.deepEqual(await trial.accept(event, options), { is: 'accepted', id: event.id })
    const mail = await trial.work('mail')
    await trial.eventually('the event runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  },

  async 'keeps another body under the same key in quarantine, for no bot'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const forged = anEvent({ rawBody: Buffer.from('{"order":2}') })
    await trial.accept(event, { key: 'key' })
    assert.deepEqual(await trial.accept(forged, { key: 'key' }), { is: 'mismatch', id: forged.id })
    const [letter, ...more] = await trial.driver.deadLetters.list({ reason: 'key-reused' })
    assert(letter, 'it is among the dead letters')
    assert.deepEqual(
      [letter.bot, letter.event.id, letter.event.rawBody, letter.attempts, more],
      [null, forged.id, forged.rawBody, [], []],
    )
    const mail = await trial.work('mail')
    await trial.eventually('the original runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), [event.id])
    assert.equal((await trial.driver.inspect()).quarantined, 1)
  },

  async 'goes on knowing the original after another body came under its key'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event, { key: 'key' })
    await trial.accept(anEvent({ rawBody: Buffer.from('other') }), { key: 'key' })
    const answer = await trial.accept(repeated(event), { key: 'key' })
    assert.deepEqual(answer, { is: 'duplicate', id: event.id, deadLetters: 0 })
  },

  async 'puts an event into quarantine outright when told to'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const answer = await trial.accept(event, { key: 'key', quarantine: true })
    assert.deepEqual(answer, { is: 'mismatch', id: event.id })
    const letters = await trial.driver.deadLetters.list()
    assert.deepEqual(
      letters.map(({ bot, reason, event: { id } }) => [bot, reason, id]),
      [[null, 'key-reused', event.id]],
    )
    const mail = await trial.work('mail')
    await trial.quiet()
    assert.equal(mail.runs.length, 0)
  },

  async 'remembers a key as long as asked, then accepts it anew'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event, { key: 'key', ttlMs: 3_000 })
    await trial.pass(300)
    assert.equal((await trial.accept(repeated(event), { key: 'key', ttlMs: 3_000 })).is, 'duplicate')
    await trial.pass(2_800)
    const later = repeated(event)
    assert.deepEqual(await trial.accept(later, { key: 'key', ttlMs: 3_000 }), {
      is: 'accepted',
      id: later.id,
    })
  },

  async 'accepts and marks the same bytes under another unsigned key'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const replay = anEvent({ marks: ['no-key'] })
    await trial.accept(event, { key: 'key', replayKey: 'bytes' })
    const answer = await trial.accept(replay, { key: 'other', replayKey: 'bytes' })
    assert.deepEqual(answer, { is: 'accepted', id: replay.id, replaySuspected: true })
    const mail = await trial.work('mail')
    await trial.eventually('both run', () => mail.runs.length === 2)
    assert.deepEqual(
      mail.runs.map(({ delivery }) => [...(delivery.event.marks ?? [])]),
      [[], ['no-key', 'replay-suspected']],
    )
  },

  async 'does not suspect a repeat under its own key'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event, { key: 'key', replayKey: 'bytes' })
    const answer = await trial.accept(repeated(event), { key: 'key', replayKey: 'bytes', onReplay: 'reject' })
    assert.deepEqual(answer, { is: 'duplicate', id: event.id, deadLetters: 0 })
  },

  async 'stores nothing of a suspected replay that is to be rejected'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    await trial.accept(event, { key: 'key', replayKey: 'bytes' })
    const reject = { key: 'other', replayKey: 'bytes', onReplay: 'reject' } as const
    assert.deepEqual(await trial.accept(repeated(event), reject), { is: 'replay' })
    assert.deepEqual(await trial.accept(repeated(event), reject), { is: 'replay' })
    const mail = await trial.work('mail')
    await trial.eventually('the original runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.deepEqual(eventsOf(mail), [event.id])
  },

  async 'takes events without a key as they come'(trial) {
    await trial.declare('mail')
    const event = anEvent()
    const { key: _, ...keyless } = { key: undefined, fingerprint: 'same', ttlMs: 1_000, timeoutMs: 5_000 }
    const again = repeated(event)
    const first = await trial.driver.accept(event, { ...keyless, token: randomUUID() })
    const second = await trial.driver.accept(again, { ...keyless, token: randomUUID() })
    assert.deepEqual(
      [first, second],
      [
        { is: 'accepted', id: event.id },
        { is: 'accepted', id: again.id },
      ],
    )
    const mail = await trial.work('mail')
    await trial.eventually('both run', () => mail.runs.length === 2)
  },

  async 'goes on after the attempts that were made in the request, for their bot alone'(trial) {
    await trial.declare('mail', 'stock')
    const failed = { attempt: 1, startedAt: 1, endedAt: 2, outcome: 'timeout' } as const
    await trial.accept(anEvent(), { resume: { bot: 'mail', attempts: [failed], afterMs: 0 } })
    const mail = await trial.work('mail')
    const stock = await trial.work('stock')
    await trial.eventually('both run', () => mail.runs.length > 0 && stock.runs.length > 0)
    assert.deepEqual([attemptsOf(mail), attemptsOf(stock)], [[2], [1]])
    assert.deepEqual(mail.runs[0]?.delivery.history, [failed])
    assert.deepEqual(stock.runs[0]?.delivery.history, [])
  },

  async 'waits before it goes on after an attempt in the request'(trial) {
    await trial.declare('mail')
    const mail = await trial.work('mail')
    const failed = { attempt: 1, startedAt: 1, endedAt: 2, outcome: 'failed' } as const
    const acceptedAt = trial.time.now()
    await trial.accept(anEvent(), { resume: { bot: 'mail', attempts: [failed], afterMs: 1_000 } })
    await trial.pass(1_100)
    const run = await trial.eventually('attempt 2 runs', () => mail.runs[0])
    assert(run.at - acceptedAt >= 1_000, 'not before its time')
  },
}

import assert from 'node:assert/strict'
import type { Cases } from '../runner.ts'
import {
  anEvent,
  attemptsOf,
  deadLetter,
  eventsOf,
  repeated,
  sorted,
  type DriverTrial,
  type Instance,
} from './trial.ts'

type Shared = (trial: DriverTrial, peer: Instance) => Promise<void>

/** For drivers that several processes may share. There is nothing to ask of one that is its process's own. */
const shared =
  (body: Shared) =>
  async (trial: DriverTrial): Promise<void> => {
    if (!trial.isShared) return
    await trial.declare('mail')
    const peer = await trial.open()
    await peer.driver.declare([{ name: 'mail', on: ['*:**'] }])
    await body(trial, peer)
  }

export const sharing: Cases<DriverTrial> = {
  'delivers in one process what was accepted in another': shared(async (trial, peer) => {
    const mail = await trial.work('mail', undefined, { driver: peer.driver })
    await trial.quiet()
    const ids = await trial.acceptMany(3)
    await trial.eventually(
      'all run (two drivers that are made with one `name` share their backend)',
      () => mail.runs.length === 3,
    )
    assert.deepEqual(eventsOf(mail), ids)
  }),

  'knows in one process what was declared in another': shared(async (trial, peer) => {
    await peer.driver.declare([{ name: 'stock', on: ['shop:**'] }])
    const ids = await trial.acceptMany(2)
    const { bots } = await trial.driver.inspect()
    assert.deepEqual(sorted(bots.map(({ name }) => name)), ['mail', 'stock'])
    const stock = await trial.work('stock', undefined, { driver: peer.driver })
    await trial.eventually('both run', () => stock.runs.length === 2)
    assert.deepEqual(eventsOf(stock), ids)
  }),

  'loses nothing when two processes declare the same new bots at once': shared(async (trial, peer) => {
    const bots = ['stock', 'stats'].map((name) => ({ name, on: ['*:**'] }))
    await Promise.all([trial.driver.declare(bots), peer.driver.declare([...bots].reverse())])
    const ids = [...(await trial.acceptMany(2)), ...(await trial.acceptMany(2, peer.driver))]
    for (const bot of ['stock', 'stats']) {
      const worker = await trial.work(bot)
      await trial.eventually('all run', () => worker.runs.length >= 4)
      await trial.quiet()
      assert.deepEqual(eventsOf(worker), ids)
    }
  }),

  'stores one event for 100 identical accepts at once in two processes': shared(async (trial, peer) => {
    const event = anEvent()
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, nth) =>
        trial.accept(repeated(event), { key: 'key' }, nth % 2 === 0 ? trial.driver : peer.driver),
      ),
    )
    const original = answers.filter(({ is }) => is === 'accepted')
    assert.equal(original.length, 1)
    assert(
      answers.every((answer) => answer.is === 'busy' || ('id' in answer && answer.id === ids(original)[0])),
    )
    const mail = await trial.work('mail')
    await trial.eventually('it runs', () => mail.runs.length > 0)
    await trial.quiet()
    assert.equal(mail.runs.length, 1)
  }),

  'hands every event to one of two processes that work for a bot': shared(async (trial, peer) => {
    const here = await trial.work('mail', undefined, { concurrency: 5 })
    const there = await trial.work('mail', undefined, { concurrency: 5, driver: peer.driver })
    const accepted = (await Promise.all([trial.acceptMany(30), trial.acceptMany(30, peer.driver)])).flat()
    await trial.eventually('all run', () => here.settled.length + there.settled.length >= 60)
    await trial.quiet()
    assert.deepEqual(sorted([...eventsOf(here), ...eventsOf(there)]), sorted(accepted))
    assert(
      [...here.runs, ...there.runs].every(({ delivery }) => delivery.attempt === 1 && !delivery.redelivered),
    )
  }),

  'goes on in one process with what another gave back': shared(async (trial, peer) => {
    const here = await trial.work('mail', trial.held().behaviour)
    const [id] = await trial.acceptMany(1)
    await trial.eventually('it runs', () => here.runs.length === 1)
    const drain = here.drain(100)
    await trial.pass(200)
    await trial.time.settled('the drain', drain)
    const there = await trial.work('mail', undefined, { driver: peer.driver })
    const run = await trial.eventually('it runs in the other', () => there.runs[0])
    const { event, attempt, redelivered } = run.delivery
    assert.deepEqual([event.id, attempt, redelivered], [id, 1, true])
  }),

  'redrives once what two processes redrive at once': shared(async (trial, peer) => {
    const mail = await trial.work('mail', deadLetter())
    await trial.acceptMany(5)
    await trial.eventually('the bot gave up', () => mail.settled.length === 5)
    await trial.time.settled('the drain', mail.drain(1_000))
    const redriven = await Promise.all([
      trial.driver.deadLetters.redrive({ bot: 'mail' }),
      peer.driver.deadLetters.redrive({ bot: 'mail' }),
    ])
    assert.equal(redriven[0] + redriven[1], 5)
    const again = await trial.work('mail', undefined, { driver: peer.driver })
    await trial.eventually('all run', () => again.runs.length >= 5)
    await trial.quiet()
    assert.equal(again.runs.length, 5)
  }),
}

/** What becomes of deliveries when a lease runs out, and when it does not. */
export const outliving: Cases<DriverTrial> = {
  'leaves a delivery with a process that lives, however long it runs': shared(async (trial, peer) => {
    const { behaviour, end } = trial.held()
    const here = await trial.work('mail', behaviour)
    await trial.acceptMany(1)
    await trial.eventually('it runs', () => here.runs.length === 1)
    const there = await trial.work('mail', undefined, { driver: peer.driver })
    await trial.passLeases(2)
    assert.equal(there.runs.length, 0)
    assert.equal(here.runs[0]?.delivery.lost.aborted, false)
    end()
    await trial.eventually('it is settled', () => here.settled.length === 1)
    assert.equal(here.settled[0]?.outcome, 'settled')
  }),

  'takes over from a process that died, which costs the attempt': shared(async (trial, peer) => {
    const { behaviour } = trial.held()
    const dead = await trial.open()
    await dead.driver.declare([])
    const there = await trial.work('mail', behaviour, { concurrency: 3, driver: dead.driver })
    const accepted = await trial.acceptMany(3)
    await trial.eventually('all run', () => there.runs.length === 3)
    dead.clock.freeze()
    const here = await trial.work('mail', undefined, { concurrency: 3, driver: peer.driver })
    await trial.quiet()
    assert.equal(here.runs.length, 0, 'not before the lease is over')
    await trial.passLeases(1.5)
    await trial.eventually('all run in the other', () => here.runs.length >= 3)
    await trial.quiet()
    assert.deepEqual(sorted(eventsOf(here)), sorted(accepted))
    for (const { delivery } of here.runs) {
      assert.deepEqual([delivery.attempt, delivery.redelivered], [2, true])
      assert.deepEqual(
        delivery.history.map(({ attempt, outcome }) => [attempt, outcome]),
        [[1, 'lost']],
      )
      const [lost] = delivery.history
      assert(lost && lost.startedAt <= lost.endedAt && lost.endedAt <= trial.time.now(), 'it says when')
    }
  }),

  'refuses the late verdict of a process that was suspended, and tells its attempt': shared(
    async (trial, peer) => {
      const { behaviour, end } = trial.held()
      const suspended = await trial.open()
      await suspended.driver.declare([])
      const there = await trial.work('mail', behaviour, { driver: suspended.driver })
      await trial.acceptMany(1)
      const run = await trial.eventually('it runs', () => there.runs[0])
      suspended.clock.freeze()
      const second = trial.held()
      const here = await trial.work('mail', second.behaviour, { driver: peer.driver })
      await trial.passLeases(1.5)
      await trial.eventually('it runs in the other', () => here.runs.length === 1)
      suspended.clock.thaw()
      await trial.passLeases(0.5)
      await trial.eventually('the attempt is told', () => run.delivery.lost.aborted)
      end(deadLetter()(run.delivery))
      await trial.eventually('the late verdict is answered', () => there.settled.length === 1)
      assert.equal(there.settled[0]?.outcome, 'fenced')
      assert.deepEqual(await trial.driver.deadLetters.list(), [])
      second.end()
      await trial.eventually('the other settles', () => here.settled.length === 1)
      assert.equal(here.settled[0]?.outcome, 'settled')
      await trial.quiet()
      assert.deepEqual([attemptsOf(there), attemptsOf(here)], [[1], [2]])
    },
  ),

  'works on for a process that was suspended and came back': shared(async (trial, peer) => {
    peer.clock.freeze()
    await trial.passLeases(1.5)
    peer.clock.thaw()
    await trial.passLeases(0.5)
    const mail = await trial.work('mail', undefined, { driver: peer.driver })
    await trial.acceptMany(1)
    await trial.eventually('it runs', () => mail.settled.length === 1)
    assert.deepEqual([attemptsOf(mail), mail.settled[0]?.outcome], [[1], 'settled'])
  }),
}

const ids = (answers: readonly object[]) => answers.map((answer) => ('id' in answer ? answer.id : undefined))

/** For drivers that keep events when the last process ends; what a server keeps is known once it was asked. */
const durable = (body: (trial: DriverTrial) => Promise<void>) => async (trial: DriverTrial) => {
  await trial.declare()
  if (trial.isDurable) await body(trial)
}

export const surviving: Cases<DriverTrial> = {
  'has events, keys, waits, dead letters and bots after a restart': durable(async (trial) => {
    await trial.declare('mail', { name: 'stock', on: ['shop:**'] })
    const event = anEvent()
    const mail = await trial.work('mail', async (delivery) =>
      delivery.event.id === event.id
        ? {
            is: 'retry',
            afterMs: 1_000,
            failed: { attempt: 1, startedAt: 1, endedAt: 2, outcome: 'timeout' },
          }
        : deadLetter()(delivery),
    )
    await trial.accept(event, { key: 'key' })
    const [dead] = await trial.acceptMany(1)
    await trial.eventually('both are settled', () => mail.settled.length === 2)
    await trial.time.settled('the drain', mail.drain(1_000))
    await trial.time.settled('the close', trial.driver.close())

    const { driver } = await trial.open()
    await driver.declare([])
    const letters = await driver.deadLetters.list()
    assert.deepEqual(
      letters.map((letter) => letter.event.id),
      [dead],
    )
    assert.deepEqual(await trial.accept(repeated(event), { key: 'key' }, driver), {
      is: 'duplicate',
      id: event.id,
      deadLetters: 0,
    })
    const { bots } = await driver.inspect()
    assert.deepEqual(bots.map(({ name, backlog, waiting }) => [name, backlog, waiting]).sort(), [
      ['mail', 0, 1],
      ['stock', 2, 0],
    ])
    const stock = await trial.work('stock', undefined, { driver })
    const again = await trial.work('mail', undefined, { driver })
    await trial.eventually('the backlog runs', () => stock.runs.length === 2)
    await trial.pass(1_100)
    await trial.eventually('the wait is over', () => again.runs.length === 1)
    assert.deepEqual(
      [eventsOf(stock), eventsOf(again), attemptsOf(again)],
      [[event.id, dead], [event.id], [2]],
    )
  }),
}

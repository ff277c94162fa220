import { systemClock, type Clock } from '@trigger-hub/core'
import type { Channel } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import type { Names } from '../src/names.ts'
import { done, everything, failed, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all', 'other'])))
  afterEach(() => trial.end())

  test.each<[string, (channel: Channel, names: Names) => Promise<unknown>]>([
    ['the exchange of events', (channel, names) => channel.deleteExchange(names.events)],
    ['the exchange back to bots', (channel, names) => channel.deleteExchange(names.again)],
  ])('%s that somebody deletes is made again, and events and retries go on', async (_, remove) => {
    const driver = await trial.declared()
    const { runs } = await trial.work(driver, (delivery) =>
      delivery.attempt === 1 ? failed(delivery, 20) : done,
    )
    await remove(await (await trial.client()).createChannel(), trial.names)
    await eventually(() =>
      trial.accept(driver, {}, 1_000).then(
        ({ is }) => is === 'accepted',
        () => false,
      ),
    )
    await eventually(() => runs.some(({ attempt }) => attempt === 2))
  })

  test('a wait queue that somebody deletes is made again when a delivery is to wait there', async () => {
    const driver = await trial.declared()
    const { runs } = await trial.work(driver, (delivery) =>
      delivery.attempt === 1 ? failed(delivery, 20) : done,
    )
    const client = await trial.client()
    const queue = trial.names.waiting(250)
    await (await client.createChannel()).deleteQueue(queue)
    await trial.accept(driver)
    await eventually(async () => {
      const channel = await client.createChannel()
      channel.on('error', () => undefined)
      return channel.checkQueue(queue).then(
        () => true,
        () => false,
      )
    })
    await eventually(() => runs.some(({ attempt }) => attempt === 2))
  })

  test('a queue of one bot among several that somebody deletes is made again within a minute by whoever publishes', async () => {
    let passedMs = 0
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs }
    const driver = trial.driver({ clock })
    await driver.declare([...everything, { name: 'other', on: ['*:**'] }])
    await (await (await trial.client()).createChannel()).deleteQueue(trial.names.bot('other'))
    expect(await trial.accept(driver)).toMatchObject({ is: 'accepted' })
    passedMs = 60_000
    await eventually(async () => {
      await trial.accept(driver)
      const { bots } = await driver.inspect()
      return bots.some(({ name, backlog }) => name === 'other' && backlog > 0)
    })
  })
})

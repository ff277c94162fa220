import { done, everything, refusal, Trial } from './trial.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all', 'one', 'other'])))
  afterEach(() => trial.end())

  test('a program without Trigger Hub reads an event as CloudEvents has it', async () => {
    const driver = await trial.declared()
    const channel = await (await trial.client()).createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, trial.names.events, 'shop.orders.#')
    const rawBody = Buffer.from([0xff, 0x00, 0x7b, 0x22])
    await trial.accept(driver, {
      id: 'event-1',
      type: 'orders.create',
      rawType: 'orders/create',
      time: Date.UTC(2030, 0, 2),
      key: 'k-1',
      contentType: 'application/json',
      rawBody,
    })
    const message = await eventually(async () => (await channel.get(queue, { noAck: true })) || undefined)
    expect(message.content).toEqual(rawBody)
    expect(message.properties).toMatchObject({
      contentType: 'application/json',
      deliveryMode: 2,
      messageId: 'event-1',
      headers: {
        'cloudEvents:specversion': '1.0',
        'cloudEvents:id': 'event-1',
        'cloudEvents:source': 'shop',
        'cloudEvents:type': 'orders.create',
        'cloudEvents:time': '2030-01-02T00:00:00.000Z',
        'cloudEvents:rawtype': 'orders/create',
        'cloudEvents:key': 'k-1',
      },
    })
  })

  test('an event that one queue has and another one refuses is answered with 503; sent again it runs no second time', async () => {
    const driver = await trial.declared()
    const { runs } = await trial.work(driver)
    const channel = await (await trial.client()).createChannel()
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    })
    channel.sendToQueue(queue, Buffer.from('it is full'))
    await eventually(async () => (await channel.checkQueue(queue)).messageCount === 1)
    await channel.bindQueue(queue, trial.names.events, '#')
    expect(await refusal(trial.accept(driver, { id: 'first' }, 100, 'same'))).toMatch(/was not confirmed/)
    await eventually(() => runs.length > 0)
    await channel.unbindQueue(queue, trial.names.events, '#')
    const again = await eventually(async () => {
      const accepted = await trial.accept(driver, { id: 'second' }, undefined, 'same')
      return accepted.is === 'busy' ? undefined : accepted
    })
    expect(again).toMatchObject({ is: 'accepted', id: 'first' })
    await trial.accept(driver, { id: 'third' })
    await eventually(() => runs.some(({ event }) => event.id === 'third'))
    expect(runs.map(({ event }) => event.id)).toEqual(['first', 'third'])
  })

  test('a bot runs for an event that another program has published', async () => {
    const driver = await trial.declared()
    const { runs } = await trial.work(driver)
    const channel = await (await trial.client()).createChannel()
    channel.publish(trial.names.events, 'shop.orders.create', Buffer.from('theirs'), { messageId: 'm-1' })
    await eventually(() => runs.length > 0)
    const { event } = runs[0] ?? {}
    expect([event?.id, event?.source, event?.type, event?.rawBody.toString()]).toEqual([
      'm-1',
      'shop',
      'orders.create',
      'theirs',
    ])
  })

  test('the longest names are told apart: a routing key has 255 bytes', async () => {
    const source = 's'.repeat(63)
    const type = 't'.repeat(200)
    const driver = trial.driver()
    await driver.declare([
      { name: 'one', on: [`${source}1:${type}`] },
      { name: 'other', on: [`${source}2:**`] },
    ])
    const one = await trial.work(driver, undefined, { bot: 'one' })
    const other = await trial.work(driver, undefined, { bot: 'other' })
    await trial.accept(driver, { id: '1', source: `${source}1`, type })
    await trial.accept(driver, { id: '2', source: `${source}2`, type })
    await eventually(() => one.settled.length + other.settled.length === 2)
    expect([one, other].map(({ runs }) => runs.map(({ event }) => event.id))).toEqual([['1'], ['2']])
  })

  test('a pattern that is longer than the protocol allows is refused', async () => {
    const on = [`shop:${'x'.repeat(300)}`]
    await expect(trial.driver().declare([{ name: 'all', on }])).rejects.toMatchObject({
      code: 'ERR_BOT_INVALID',
    })
  })

  test('accepting costs the same beside a backlog as without one', async () => {
    const empty = new Trial(url, ['all'])
    try {
      const [behind, idle] = [await trial.declared(), await empty.declared()]
      const { settled } = await empty.work(idle, undefined, { concurrency: 20 })
      const burst = async (on: Trial, driver: typeof idle, count: number): Promise<number> => {
        const from = performance.now()
        await Promise.all(Array.from({ length: count }, () => on.accept(driver, {}, 60_000)))
        return performance.now() - from
      }
      for (let nth = 0; nth < 10; nth++) await burst(trial, behind, 1_000)
      // the best of many in turns, and of more while they differ: a busy machine is busy for both
      let [withBacklog, without] = [Infinity, Infinity]
      const until = performance.now() + 60_000
      for (let nth = 1; nth <= 20 || (withBacklog >= without * 1.3 && performance.now() < until); nth++) {
        withBacklog = Math.min(withBacklog, await burst(trial, behind, 100))
        without = Math.min(without, await burst(empty, idle, 100))
        await eventually(() => settled.length === nth * 100)
      }
      expect(withBacklog / without).toBeLessThan(1.3)
    } finally {
      await empty.end()
    }
  }, 150_000)

  test('two processes that declare the same new bot at once both find it bound', async () => {
    const drivers = [trial.driver(), trial.driver()]
    await Promise.all(drivers.map((driver) => driver.declare(everything)))
    for (const driver of drivers) await trial.accept(driver)
    expect((await drivers[0]!.inspect()).bots.map(({ name, backlog }) => [name, backlog])).toEqual([
      ['all', 2],
    ])
  })

  test('a bot that was retired while it ran leaves nothing behind once another process starts', async () => {
    const driver = await trial.declared()
    let end = (): void => undefined
    const { runs, settled } = await trial.work(
      driver,
      () => new Promise((resolve) => (end = () => resolve(done))),
    )
    await trial.accept(driver)
    await eventually(() => runs.length > 0)
    await driver.retire('all')
    end()
    await eventually(() => settled.length > 0)
    await driver.close()
    await trial.driver().declare([])
    const channel = await (await trial.client()).createChannel()
    channel.on('error', () => undefined)
    await expect(channel.checkQueue(trial.names.bot('all'))).rejects.toThrow(/NOT_FOUND/)
    expect(await trial.driver().deadLetters.list()).toEqual([])
  })
})

import type { ConsumeMessage } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { changing, everything, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(async () => {
    jest.restoreAllMocks()
    await trial.end()
  })

  test('what an ending process gives back while its bot is retired becomes a dead letter', async () => {
    let giveBack = async (): Promise<void> => undefined
    const driver = await trial.declared({
      url: undefined,
      connect: changing(url, (channel) => {
        const check = channel.checkQueue.bind(channel)
        channel.checkQueue = async (queue) => {
          await giveBack() // when nothing was left to get
          return check(queue)
        }
      }),
    })
    await trial.accept(driver, { id: 'held' })
    const channel = await (await trial.client()).createChannel()
    const queue = trial.names.bot('all')
    let held: ConsumeMessage | null = null
    const { consumerTag } = await channel.consume(queue, (message) => (held = message))
    const message = await eventually(() => held)
    await channel.cancel(consumerTag)

    await driver.retire('all')
    giveBack = async () => {
      giveBack = async () => undefined
      channel.nack(message)
      await eventually(async () => (await channel.checkQueue(queue)).messageCount === 1)
    }
    await driver.declare([])
    expect(await driver.deadLetters.list()).toEqual([])
    await driver.declare([])
    const letters = await driver.deadLetters.list()
    expect(letters.map(({ bot, reason, event }) => [bot, reason, event.id])).toEqual([
      ['all', 'retired', 'held'],
    ])
    await expect(channel.checkQueue(queue)).rejects.toMatchObject({ code: 404 })
  })

  test('a bot that is declared again while its backlog is being buried keeps the rest', async () => {
    const [driver, other] = [await trial.declared(), trial.driver()]
    await Promise.all(Array.from({ length: 100 }, () => trial.accept(driver)))
    const bury = trial.store.bury.bind(trial.store)
    let declaring: Promise<void> | undefined
    jest.spyOn(trial.store, 'bury').mockImplementation(async (...all) => {
      await (declaring ??= other.declare(everything))
      return bury(...all)
    })
    await driver.retire('all')
    const { length } = await driver.deadLetters.list({ limit: 100 })
    expect([length > 0, length < 100]).toEqual([true, true])
    const { runs } = await trial.work(other, undefined, { concurrency: 10 })
    await eventually(() => runs.length === 100 - length)
  })

  describe('a bot that another process retires after this one has looked which there are', () => {
    const retiredMeanwhile = (): void => {
      const shared = trial.store.shared.bind(trial.store)
      const other = trial.driver()
      jest.spyOn(trial.store, 'shared').mockImplementationOnce(async (name) => {
        const seen = await shared(name)
        await other.retire('all')
        return seen
      })
    }

    test('gets no queues again when this one would consume', async () => {
      const driver = await trial.declared()
      retiredMeanwhile()
      await expect(trial.work(driver)).rejects.toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
      const channel = await (await trial.client()).createChannel()
      await expect(channel.checkQueue(trial.names.bot('all'))).rejects.toMatchObject({ code: 404 })
    })

    test('is declared again when this one declares it', async () => {
      const driver = await trial.declared()
      retiredMeanwhile()
      await driver.declare(everything)
      expect((await driver.inspect()).bots.map(({ name }) => name)).toEqual(['all'])
      const { runs } = await trial.work(driver)
      await trial.accept(driver)
      await eventually(() => runs.length > 0)
    })
  })
})

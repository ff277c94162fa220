import { connect, type Channel, type ChannelModel } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { done, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(() => trial.end())

  test('a subscription that ends while it is being made again hands nothing out', async () => {
    const consuming: ChannelModel[] = []
    const channels: Channel[] = []
    let goOn = (): void => undefined
    const gate = new Promise<void>((resume) => (goOn = resume))
    const driver = await trial.declared({
      url: undefined,
      connect: async (socket) => {
        const connection = await connect(url, { ...socket })
        if (!socket.clientProperties.connection_name.endsWith('consuming')) return connection
        const create = connection.createChannel.bind(connection)
        const isFirst = consuming.push(connection) === 1
        connection.createChannel = async () => {
          const channel = await create()
          channels.push(channel)
          if (!isFirst) await gate
          return channel
        }
        return connection
      },
    })
    const working = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }
    let runs = 0
    const subscription = await driver.consume('all', working, async () => (runs++, done))
    await eventually(() => channels.length === 3) // the bot's, and those for waits and for what the server has left over
    await consuming[0]?.close()
    await eventually(() => channels.length === 6) // all of them are being made again, in whatever order
    const draining = subscription.drain(0)
    await trial.accept(driver)
    let isClosed = false
    for (const channel of channels.slice(3)) channel.on('close', () => (isClosed = true))
    goOn()
    await draining
    await eventually(() => isClosed)
    const channel = await (await trial.client()).createChannel()
    const message = await eventually(async () => (await channel.get(trial.names.bot('all'))) || undefined)
    const { 'x-delivery-count': returns = 0 } = message.properties.headers as Record<string, unknown>
    expect([runs, returns]).toEqual([0, 0])
  })
})

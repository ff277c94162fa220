import { connect } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'
import { Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(async () => {
    jest.restoreAllMocks()
    await trial.end()
  })

  test('giving back what could not be buried ends no process whose channel is closing', async () => {
    const proxy = await Proxy.to(Number(new URL(url).port))
    const through = Object.assign(new URL(url), { port: String(proxy.port) }).href
    let [isClosing, isGivenBack] = [false, false]
    const driver = await trial.declared({
      url: undefined,
      connect: async (socket) => {
        const connection = await connect(through, { ...socket })
        if (!socket.clientProperties.connection_name.endsWith('consuming')) return connection
        const create = connection.createChannel.bind(connection)
        connection.createChannel = async () => {
          const channel = await create()
          const [close, nack] = [channel.close.bind(channel), channel.nack.bind(channel)]
          channel.close = () => {
            if (isClosing) return close()
            isClosing = true
            proxy.stall() // it stays in between
            return close()
          }
          channel.nack = (message) => {
            isGivenBack = true
            nack(message)
          }
          return channel
        }
        return connection
      },
    })
    const client = await (await trial.client()).createChannel()
    jest.spyOn(trial.store, 'bury').mockImplementationOnce(async () => {
      await client.deleteQueue(trial.names.failed)
      await eventually(() => isClosing)
      throw new Error('the store is away')
    })
    await trial.work(driver)
    client.publish(trial.names.failed, 'all', Buffer.from('given up'), { messageId: 'm-1' })
    await eventually(() => isGivenBack)
    await proxy.close()
  })
})

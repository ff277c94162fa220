import { connect, type ConfirmChannel } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { refusal, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(() => trial.end())

  test('a channel on which the server refuses is left for another one, which its end does not concern', async () => {
    const channels: ConfirmChannel[] = []
    let isRefusing = false
    const driver = await trial.declared({
      url: undefined,
      connect: async (socket) => {
        const connection = await connect(url, { ...socket })
        const create = connection.createConfirmChannel.bind(connection)
        connection.createConfirmChannel = async () => {
          const channel = await create()
          const publish = channel.publish.bind(channel)
          const isFirst = channels.push(channel) === 1
          channel.publish = (exchange, key, body, options, concluded) => {
            if (!isFirst || !isRefusing) return publish(exchange, key, body, options, concluded)
            return setImmediate(() => concluded?.(new Error('message nacked'), {})).hasRef()
          }
          return channel
        }
        return connection
      },
    })
    await trial.accept(driver)
    isRefusing = true
    let isClosed = false
    channels[0]?.on('close', () => (isClosed = true))
    expect(await refusal(trial.accept(driver))).toMatch(/was not confirmed/)
    await eventually(() =>
      trial.accept(driver).then(
        ({ is }) => is === 'accepted',
        () => false,
      ),
    )
    await eventually(() => isClosed)
    expect(await trial.accept(driver)).toMatchObject({ is: 'accepted' })
    expect(channels).toHaveLength(2)
  })
})

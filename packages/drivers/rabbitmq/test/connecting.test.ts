import { connect } from 'amqplib'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { everything, refusal, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(() => trial.end())

  test('a "connect" that throws before it gives a promise is asked again', async () => {
    let asked = 0
    const driver = trial.driver({
      url: undefined,
      connect: (socket) => {
        if (++asked < 3) throw new Error('there is no certificate yet')
        return connect(url, { ...socket })
      },
    })
    expect(await refusal(driver.declare(everything))).toMatch(/no certificate yet/)
    await eventually(() =>
      driver.declare(everything).then(
        () => true,
        () => false,
      ),
    )
    expect(asked).toBe(3)
  })
})

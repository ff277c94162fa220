import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { done, failed, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(() => trial.end())

  test('a wait goes on where it was when the process that holds it ends', async () => {
    const [driver, other] = [await trial.declared(), trial.driver()]
    const { settled } = await trial.work(driver, (delivery) => failed(delivery, 1_500))
    await trial.accept(driver)
    await eventually(() => settled.length > 0)
    const failedAt = Date.now()
    const channel = await (await trial.client()).createChannel()
    const waiting = async (rungMs: number) =>
      (await channel.checkQueue(trial.names.waiting(rungMs))).messageCount
    await eventually(
      async () => (await waiting(1_000)) === 0 && (await driver.inspect()).bots[0]?.waiting === 1,
    )
    await driver.close()
    await eventually(async () => (await waiting(1_000)) === 1)
    const { runs } = await trial.work(other, () => done)
    await eventually(() => runs.length > 0)
    expect(runs[0]).toMatchObject({ attempt: 2, redelivered: false })
    expect(Date.now() - failedAt).toBeGreaterThanOrEqual(1_400)
  })
})

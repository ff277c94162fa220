import { systemClock, type Clock } from '@trigger-hub/core'
import { eventually } from '../../../../test/eventually.ts'
import { needs } from '../../../../test/servers/needs.ts'
import { done, failed, Trial } from './trial.ts'

needs('rabbitmq', (url) => {
  let trial: Trial
  beforeEach(() => (trial = new Trial(url, ['all'])))
  afterEach(() => trial.end())

  test('a wait goes on where it was when the process that holds it ends', async () => {
    let aheadMs = 0
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
    const [driver, other] = [await trial.declared(), trial.driver({ clock })]
    const waitMs = 65_000 // one part of 64 s, and one of 1 s
    let failedAt = 0
    const { settled } = await trial.work(driver, (delivery) => {
      failedAt = Date.now()
      return failed(delivery, waitMs)
    })
    await trial.accept(driver)
    await eventually(() => settled.length > 0)
    const channel = await (await trial.client()).createChannel()
    const waiting = async () => (await channel.checkQueue(trial.names.waiting(64_000))).messageCount
    const held = async (): Promise<boolean> =>
      (await waiting()) === 0 && (await channel.checkQueue(trial.names.bot('all'))).messageCount === 0
    await eventually(async () => (await held()) && (await driver.inspect()).bots[0]?.waiting === 1)
    await driver.close()
    await eventually(async () => (await waiting()) === 1)
    aheadMs = 63_500
    const { runs } = await trial.work(other, () => done)
    await eventually(() => runs.length > 0)
    expect(runs[0]).toMatchObject({ attempt: 2, redelivered: false })
    expect(clock.now() - failedAt).toBeGreaterThanOrEqual(waitMs)
  })
})

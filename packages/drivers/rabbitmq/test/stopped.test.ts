import { startRabbitMq } from '../../../../scripts/services/rabbitmq.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { refusal, Trial } from './trial.ts'

jest.setTimeout(60_000)

needsOwn('rabbitmq', () => {
  let server: Server
  let trial: Trial
  beforeAll(async () => {
    server = await startRabbitMq()
  })
  afterAll(() => server.stop())
  beforeEach(() => (trial = new Trial(server.url)))
  afterEach(async () => {
    await server.kill('SIGCONT')
    await trial.end()
  })

  test('while the server stands still events are refused; when it goes on all runs, and nothing twice', async () => {
    const driver = await trial.declared()
    const { runs, settled } = await trial.work(driver)
    await trial.accept(driver)
    await eventually(() => settled.length === 1)
    await server.kill('SIGSTOP')
    // the first of them are in its hands, and count in the end
    await eventually(async () => (await refusal(trial.accept(driver, {}, 500))).includes('does not answer'))
    await server.kill('SIGCONT')
    const last = await eventually(() => trial.accept(driver).catch(() => undefined))
    await eventually(() => runs.some(({ event }) => 'id' in last && event.id === last.id))
    expect(runs.map(({ event, attempt }) => [event.id, attempt])).toEqual(
      [...new Set(runs.map(({ event }) => event.id))].map((id) => [id, 1]),
    )
  })

  test('a process ends though the server stands still', async () => {
    const driver = await trial.declared()
    const { settled } = await trial.work(driver)
    await trial.accept(driver)
    await eventually(() => settled.length === 1)
    await server.kill('SIGSTOP')
    await driver.close()
  })
})

import { needs } from '../../../../test/servers/needs.ts'
import { accept, everything, Hub } from './hub.ts'

jest.setTimeout(120_000)

needs('kafka', (brokers) => {
  const hub = new Hub(() => brokers)
  afterAll(() => hub.close())

  test('a bot that two processes retire at once becomes dead letters, and both go on', async () => {
    const one = hub.driver()
    const other = hub.driver()
    await one.declare(everything('mail'))
    await other.declare(everything('mail'))
    const ids = await Promise.all(Array.from({ length: 20 }, () => accept(one)))
    await Promise.all([one.retire('mail'), other.retire('mail')])
    expect(await one.deadLetters.list({ reason: 'retired' })).toHaveLength(ids.length)
    expect((await one.inspect()).bots).toEqual([])
  })
})

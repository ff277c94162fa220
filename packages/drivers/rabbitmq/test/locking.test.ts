import { setTimeout as wait } from 'node:timers/promises'
import { systemClock, type Clock } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
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

  test('of two processes that change bots the second one waits, however long the first one takes', async () => {
    // five times as fast, so that the lock, of 5 s, lasts a second
    const clock: Clock = {
      now: () => systemClock.now() * 5,
      monotonicMs: () => systemClock.monotonicMs() * 5,
      after: (ms, task) => systemClock.after(ms / 5, task),
    }
    const store = memory({ clock })
    let isAtIt = false
    const slow = changing(url, (channel) => {
      const bind = channel.bindQueue.bind(channel)
      channel.bindQueue = async (queue, ...to) => {
        isAtIt ||= queue === trial.names.bot('all')
        if (isAtIt) await wait(1_500)
        return bind(queue, ...to)
      }
    })
    const order: string[] = []
    const [first, second] = [
      trial.driver({ url: undefined, connect: slow, store, clock }),
      trial.driver({ store, clock }),
    ]
    const declaring = first.declare(everything).then(() => order.push('first'))
    await eventually(() => isAtIt)
    await second.declare([{ name: 'all', on: ['shop:**'] }])
    order.push('second')
    await declaring
    expect(order).toEqual(['first', 'second'])
  })

  test('a process that has lost its lock while it removes a bot leaves one that was declared again', async () => {
    const claim = trial.store.claim.bind(trial.store)
    let unlock = async (): Promise<unknown> => undefined
    jest.spyOn(trial.store, 'claim').mockImplementation(async (...all) => {
      const claimed = await claim(...all)
      if (claimed.is === 'claimed') unlock = () => trial.store.release(claimed)
      return claimed
    })
    const other = trial.driver()
    const removing = changing(url, (channel) => {
      const remove = channel.deleteQueue.bind(channel)
      channel.deleteQueue = async (queue) => {
        const removed = await remove(queue)
        if (queue === trial.names.botAgain('all')) {
          await unlock()
          await other.declare(everything)
        }
        return removed
      }
    })
    const driver = await trial.declared({ url: undefined, connect: removing })
    await driver.retire('all')
    expect((await driver.inspect()).bots.map(({ name }) => name)).toEqual(['all'])
    const { runs } = await trial.work(other)
    await trial.accept(driver)
    await eventually(() => runs.length > 0)
  })
})

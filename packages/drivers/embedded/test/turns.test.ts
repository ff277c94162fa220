import { systemClock } from '@trigger-hub/core'
import { eventually } from '../../../../test/eventually.ts'
import { open } from '../src/database.ts'
import { GroupCommit, type Order } from '../src/group-commit.ts'
import type { Taken } from '../src/operations/deliveries.ts'
import { accept, atEnd, opened, path } from './opened.ts'

test('hundreds of bots that find work at once are not given all of it in one message', async () => {
  const driver = opened()
  const bots = Array.from({ length: 100 }, (_, nth) => `bot-${nth}`)
  await driver.declare(bots.map((name) => ({ name, on: ['*:**'] })))
  await Promise.all(Array.from({ length: 10 }, () => accept(driver)))
  await driver.close()

  const messages: number[] = []
  const file = new GroupCommit({
    path,
    open,
    tell(news) {
      if (news.is !== 'answers') return
      const taken = news.answers.map((answer) => 'result' in answer && (answer.result as Partial<Taken>))
      messages.push(
        taken.reduce((sum, one) => sum + (one && 'deliveries' in one ? one.deliveries.length : 0), 0),
      )
    },
  })
  atEnd(() => file.close())
  const until = systemClock.monotonicMs() + 20_000
  const session = 'one'
  const orders: Order[] = [
    { n: 0, name: 'renewSession', args: { session, leaseMs: 20_000, pid: process.pid, begin: true }, until },
    ...bots.map((bot, nth) => {
      const args = { bot, session, limit: 10, running: null }
      return { n: nth + 1, name: 'takeDeliveries' as const, args, until }
    }),
  ]
  file.push({ orders, now: Date.now(), monotonicMs: systemClock.monotonicMs() })
  await eventually(() => messages.reduce((sum, count) => sum + count, 0) === bots.length * 10)
  expect(messages).toEqual(Array.from({ length: 10 }, () => 100))
})

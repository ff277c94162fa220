import { fakeClock } from '@trigger-hub/conformance'
import { eventually } from '../../../../test/eventually.ts'
import { Checkpointing } from '../src/checkpointing.ts'
import { open, type Database } from '../src/database.ts'
import { prepare } from '../src/schema.ts'
import { acceptOptions, anEvent } from './events.ts'
import { accept, count, opened, path } from './opened.ts'

describe('what is kept', () => {
  const day = 86_400_000

  it('drops settled and unmatched events after the retention, and keeps what is still owed', async () => {
    const clock = fakeClock(Date.now())
    const driver = opened({ clock, retention: '1h' })
    await driver.declare([
      { name: 'mail', on: ['shop:orders.*', 'shop:refunds.*'] },
      { name: 'asleep', on: ['shop:stock.*'] },
    ])
    const types = ['orders.create', 'refunds.create', 'nobody.wants', 'stock.changed']
    for (const type of types) await accept(driver, anEvent({ type, time: clock.now() }))
    let settled = 0
    const failed = { attempt: 1, startedAt: 1, endedAt: 2, outcome: 'failed' } as const
    await driver.consume(
      'mail',
      { concurrency: 1, onSettled: () => settled++, onError: () => undefined },
      async ({ event }) =>
        event.type === 'orders.create' ? { is: 'done' } : { is: 'dead-letter', reason: 'exhausted', failed },
    )
    await eventually(() => settled === 2)
    expect(count('events')).toBe(4)
    await eventually(() => {
      clock.advance(300_000)
      return count('events') === 2
    })
    expect(count(`events WHERE type IN ('refunds.create', 'stock.changed')`)).toBe(2)
    expect(count(`deliveries WHERE state = 'done'`)).toBe(0)
    const report = await driver.inspect()
    expect(report.unmatched).toBe(0)
    expect(report.bots.map(({ name, backlog, deadLetters }) => [name, backlog, deadLetters])).toEqual([
      ['asleep', 1, 0],
      ['mail', 0, 1],
    ])
    const [letter] = await driver.deadLetters.list()
    expect(letter?.event.type).toBe('refunds.create')

    await driver.deadLetters.discard({})
    await eventually(() => {
      clock.advance(300_000)
      return count('events') === 1
    })
  })

  it('knows a key for as long as it was told to, also when its event is gone', async () => {
    const clock = fakeClock(Date.now())
    const driver = opened({ clock, retention: '1h' })
    await driver.declare([])
    const event = anEvent({ time: clock.now() })
    await accept(driver, event)
    clock.advance(3_600_000)
    await eventually(() => {
      clock.advance(5_000) // for the next look; as slow as the disk may be, the key has its day
      return count('events') === 0
    })
    const repeat = { ...event, id: 'another' }
    const options = { ...acceptOptions(event), token: 'another' }
    expect(await driver.accept(repeat, options)).toEqual({ is: 'duplicate', id: event.id, deadLetters: 0 })
    clock.advance(day)
    expect(await driver.accept(repeat, options)).toEqual({ is: 'accepted', id: 'another' })
  })

  it('gives no event the place of one that is gone, since bots remember how far they are', async () => {
    const clock = fakeClock(Date.now())
    const driver = opened({ clock, retention: 0 })
    await driver.declare([{ name: 'mail', on: ['*:**'] }])
    const seen: string[] = []
    await driver.consume(
      'mail',
      { concurrency: 1, onSettled: () => undefined, onError: () => undefined },
      async ({ event }) => {
        seen.push(event.id)
        return { is: 'done' }
      },
    )
    for (const event of [anEvent(), anEvent(), anEvent()]) {
      await accept(driver, event)
      await eventually(() => seen.at(-1) === event.id)
      await eventually(() => {
        clock.advance(10_000)
        return count('events') === 0
      })
    }
    expect(seen).toHaveLength(3)
  })
})

describe('the write-ahead log', () => {
  it('is copied into the file by one connection at a time, and by another one when that is closed', () => {
    const first = open(path)
    const second = open(path)
    for (const db of [first, second]) prepare(db, path)
    const duties = [first, second].map((db) => new Checkpointing(db, open, path))
    const pages = (db: Database): number | undefined =>
      db.get<{ wal_autocheckpoint: number }>('PRAGMA wal_autocheckpoint')?.wal_autocheckpoint
    for (const duty of duties) duty.tend(false)
    expect([first, second].map(pages)).toEqual([4_000, 0])
    duties[0]?.close()
    duties[1]?.tend(false)
    expect(pages(second)).toBe(4_000)
    duties[1]?.close()
    for (const db of [first, second]) db.close()
  })
})

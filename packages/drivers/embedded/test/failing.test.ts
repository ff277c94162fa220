import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, type Delivery, type EventRecord, type Settled } from '@trigger-hub/core'
import { eventually } from '../../../../test/eventually.ts'
import { open, type Database, type Open, type Value } from '../src/database.ts'
import { GroupCommit, type Answer, type News } from '../src/group-commit.ts'
import type { AcceptArgs } from '../src/operations/accept.ts'
import { acceptOptions, anEvent } from './events.ts'
import { accept, atEnd, count, folder, opened, path } from './opened.ts'

describe('one event of a group that cannot be stored', () => {
  it('fails alone', async () => {
    const driver = opened()
    await driver.declare([{ name: 'mail', on: ['*:**'] }])
    const broken = [
      anEvent({ time: 'yesterday' as unknown as number }),
      anEvent({ type: (() => 'orders.create') as unknown as string }),
      anEvent({ rawType: null as unknown as string }),
    ]
    const events = [anEvent(), ...broken, anEvent(), anEvent()]
    const outcomes = await Promise.allSettled(events.map((event) => accept(driver, event)))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect((await driver.inspect()).bots[0]?.backlog).toBe(3)
  })
})

describe('a verdict that cannot be recorded', () => {
  /** The driver may hold the file just then. */
  const patiently = (task: () => void): Promise<boolean> =>
    eventually(() => {
      try {
        task()
        return true
      } catch {
        return false
      }
    })

  it('leaves its delivery to another run, which says so, as soon as one can be', async () => {
    const driver = opened()
    await driver.declare([{ name: 'mail', on: ['*:**'] }])
    const file = open(path)
    atEnd(() => file.close())
    await patiently(() =>
      file.exec(`CREATE TRIGGER fault BEFORE UPDATE ON deliveries WHEN new.state = 'done'
        BEGIN SELECT RAISE(ABORT, 'no'); END`),
    )
    const runs: Delivery[] = []
    const outcomes: Settled[] = []
    await driver.consume(
      'mail',
      { concurrency: 1, onSettled: (_, outcome) => outcomes.push(outcome), onError: () => undefined },
      async (delivery) => {
        runs.push(delivery)
        return { is: 'done' }
      },
    )
    await accept(driver)
    await eventually(() => outcomes.includes('unknown'))
    await patiently(() => file.exec('DROP TRIGGER fault'))
    await eventually(() => outcomes.includes('settled'))
    expect(runs[0]).toMatchObject({ attempt: 1, redelivered: false })
    expect(runs.at(-1)).toMatchObject({ attempt: 1, redelivered: true })
    expect(count(`deliveries WHERE state = 'done'`)).toBe(1)
  })
})

describe('an answer that comes while the process is held up', () => {
  it('is heard, although its time is over when the process goes on', async () => {
    const driver = opened()
    await driver.declare([])
    const event = anEvent()
    const accepted = driver.accept(event, acceptOptions(event, { timeoutMs: 2_000 }))
    await new Promise(setImmediate) // it is on its way to the file
    const holdUp = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    while (count('events') === 0) holdUp(20)
    holdUp(2_200) // the answer comes, and its time is over
    expect(await accepted).toEqual({ is: 'accepted', id: event.id })
  })
})

describe('a file that is removed while it is in use', () => {
  const names = ['hub.db', 'hub.db-wal', 'hub.db-shm']
  const move = (from: string, to: string, inOrder = names): void => {
    for (const name of inOrder) if (existsSync(join(from, name))) renameSync(join(from, name), join(to, name))
  }

  it('takes nothing that nobody would find again, makes no other file, and goes on when it is back', async () => {
    const driver = opened()
    await driver.declare([{ name: 'mail', on: ['*:**'] }])
    await accept(driver)
    const away = join(folder, 'away')
    mkdirSync(away)
    move(folder, away)
    await expect(accept(driver)).rejects.toMatchObject({
      code: 'ERR_DRIVER_UNAVAILABLE',
      message: expect.stringContaining('it was removed or replaced') as string,
    })
    await eventually(async () =>
      String(await accept(driver).catch((error: unknown) => error)).includes('it is gone'),
    )
    expect(existsSync(path)).toBe(false)
    move(away, folder, names.toReversed()) // it is opened as soon as it is there
    const accepted = await eventually(() => accept(driver).catch(() => undefined))
    expect(accepted.is).toBe('accepted')
    expect((await driver.inspect()).bots[0]).toMatchObject({ name: 'mail' })
  })
})

describe('a file that fails', () => {
  /** The thread's work on a database of which some calls fail. */
  function groupCommit(failing: (db: Database) => Partial<Database>) {
    const news: News[] = []
    const faulty: Open = (at) => {
      const db = open(at)
      return { ...db, ...failing(db) }
    }
    const file = new GroupCommit({ path, open: faulty, tell: (one) => news.push(one) })
    atEnd(() => file.close())
    let n = 0
    const ask = async (event: EventRecord): Promise<Answer> => {
      const order = {
        n: ++n,
        name: 'accept',
        args: argsOf(event),
        until: systemClock.monotonicMs() + 5_000,
      } as const
      file.push({ orders: [order], now: Date.now(), monotonicMs: 1 })
      return eventually(() =>
        news.flatMap((one) => (one.is === 'answers' ? one.answers : [])).find((one) => one.n === order.n),
      )
    }
    return { news, ask }
  }

  const argsOf = (event: EventRecord): AcceptArgs => ({
    ...event,
    senderKey: null,
    contentType: null,
    headers: '{}',
    marks: [],
    body: event.rawBody,
    key: event.id,
    fingerprint: event.id,
    replayKey: null,
    rejectReplay: false,
    quarantine: false,
    ttlMs: 1_000,
    token: event.id,
    resume: null,
  })

  it.each([
    ['a flush', 1_034],
    ['a write', 778],
    ['a full disk', 13],
  ])('at %s answers nobody, is opened again, and goes on', async (_, rawCode) => {
    let isFailing = false
    const { news, ask } = groupCommit((db) => ({
      exec(sql) {
        if (sql === 'COMMIT' && isFailing) {
          isFailing = false
          throw Object.assign(new Error('disk I/O error'), { rawCode })
        }
        db.exec(sql)
      },
    }))
    expect(await ask(anEvent())).toHaveProperty('result')
    isFailing = true
    expect(await ask(anEvent())).toMatchObject({
      unavailable: true,
      message: expect.stringContaining('disk I/O error') as string,
    })
    expect(await ask(anEvent())).toMatchObject({ unavailable: true }) // at once, until it is open again
    await eventually(() => news.filter(({ is }) => is === 'opened').length === 2)
    expect(await ask(anEvent())).toHaveProperty('result')
    expect(count('events')).toBe(2)
  })

  it('is not trusted after a failed flush before its log is in the file', async () => {
    let isFailing = false
    const checkpoints: unknown[] = []
    const { news, ask } = groupCommit((db) => ({
      exec(sql) {
        if (sql === 'COMMIT' && isFailing) {
          isFailing = false
          throw Object.assign(new Error('EIO'), { rawCode: 1_034 })
        }
        db.exec(sql)
      },
      get<Row>(sql: string, ...values: Value[]): Row | undefined {
        const row = db.get<Row>(sql, ...values)
        if (sql.includes('TRUNCATE')) checkpoints.push(row)
        return row
      },
    }))
    expect(await ask(anEvent())).toHaveProperty('result')
    isFailing = true
    expect(await ask(anEvent())).toHaveProperty('unavailable', true)
    await eventually(() => news.filter(({ is }) => is === 'opened').length === 2)
    expect(checkpoints).toMatchObject([{ busy: 0 }])
  })
})

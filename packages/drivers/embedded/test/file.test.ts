import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fakeClock } from '@trigger-hub/conformance'
import { systemClock, type Accepted, type EventRecord } from '@trigger-hub/core'
import { embedded, type EmbeddedOptions } from '@trigger-hub/embedded'
import { Checkpointing } from '../src/checkpointing.ts'
import { builtIn, libsql, open, openWith, type Database, type Open, type Value } from '../src/database.ts'
import { GroupCommit, type Answer, type News } from '../src/group-commit.ts'
import type { AcceptArgs } from '../src/operations/accept.ts'
import { preparePlace } from '../src/place.ts'
import { prepare } from '../src/schema.ts'
import { acceptOptions, anEvent } from './events.ts'
import { eventually } from '../../../../test/eventually.ts'

const drivers: ReturnType<typeof embedded>[] = []
const files: GroupCommit[] = []
let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
  path = join(folder, 'hub.db')
})

afterEach(async () => {
  for (const file of files.splice(0)) file.close()
  await Promise.all(drivers.splice(0).map((driver) => driver.close()))
  rmSync(folder, { recursive: true, force: true })
})

const opened = (options: EmbeddedOptions = {}): ReturnType<typeof embedded> => {
  const driver = embedded({ path, ...options })
  drivers.push(driver)
  return driver
}

const accept = (driver: ReturnType<typeof embedded>, event: EventRecord = anEvent()): Promise<Accepted> =>
  driver.accept(event, acceptOptions(event))

/** Rows of the file, as another program sees them. */
function count(sql: string): number {
  const db = open(path)
  try {
    return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`)?.n ?? NaN
  } finally {
    db.close()
  }
}

describe('where the file is', () => {
  it('makes the folder', async () => {
    const driver = opened({ path: join(folder, 'a', 'b', 'hub.db') })
    await accept(driver)
    expect(statSync(join(folder, 'a', 'b', 'hub.db')).size).toBeGreaterThan(0)
  })

  it('touches nothing before the first call', () => {
    opened({ path: join(folder, 'untouched', 'hub.db') })
    expect(() => statSync(join(folder, 'untouched'))).toThrow('ENOENT')
  })

  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    ['CIFS', 0xff534d42],
    ['SMB2', 0xfe534d42],
    ['AFS', 0x5346414f],
    ['9p', 0x01021997],
    ['Ceph', 0x00c36400],
    ['Lustre', 0x0bd00bd0],
  ])('refuses %s, where locks are not reliable, and names the fix', async (name, type) => {
    const refused = preparePlace(path, async () => type)
    await expect(refused).rejects.toMatchObject({ name: 'SetupError', code: 'ERR_DRIVER_UNUSABLE' })
    await expect(refused).rejects.toThrow(`is on ${name}`)
    await expect(refused).rejects.toThrow('the option "path"')
  })

  it('warns of a filesystem in memory', async () => {
    const [warning] = await preparePlace(path, async () => 0x01021994)
    expect(warning?.code).toBe('WARN_VOLATILE_FILESYSTEM')
  })

  it('says nothing about a local disk', async () => {
    expect(await preparePlace(path, async () => 0xef53)).toEqual([])
  })

  it('refuses a folder that cannot be made, and says which', async () => {
    writeFileSync(join(folder, 'a-file'), '')
    const driver = opened({ path: join(folder, 'a-file', 'hub.db') })
    await expect(driver.declare([])).rejects.toMatchObject({ code: 'ERR_DRIVER_UNUSABLE' })
    await expect(accept(driver)).rejects.toThrow(join('a-file', 'hub.db'))
  })
})

describe('whose the file is', () => {
  it('refuses a file that is no SQLite file', async () => {
    writeFileSync(path, 'Dear diary, '.repeat(1_000))
    await expect(opened().declare([])).rejects.toMatchObject({
      code: 'ERR_DRIVER_UNUSABLE',
      message: expect.stringContaining('is not an SQLite file') as string,
    })
  })

  it('refuses the database of another program, and leaves it as it was', async () => {
    const theirs = open(path)
    theirs.exec('CREATE TABLE invoices (id INTEGER)')
    theirs.close()
    await expect(opened().declare([])).rejects.toThrow('belongs to another program')
    expect(count('sqlite_schema')).toBe(1)
  })

  it('is not mistaken for somebody else’s while another process makes it', () => {
    const meanwhile = open(path)
    const other = open(path)
    let isMade = false
    const interrupted: Database = {
      ...other,
      get<Row>(sql: string, ...values: Value[]) {
        const row = other.get<Row>(sql, ...values)
        if (!isMade && sql.includes('application_id')) {
          isMade = true
          try {
            prepare(meanwhile, path)
          } catch {
            // a look that is one transaction keeps the other process out for so long
          }
        }
        return row
      },
    }
    expect(() => prepare(interrupted, path)).not.toThrow('belongs to another program')
    meanwhile.close()
    other.close()
  })

  it('refuses a file of a newer version of itself', async () => {
    const driver = opened()
    await driver.declare([])
    await driver.close()
    const later = open(path)
    later.exec('PRAGMA user_version = 99')
    later.close()
    await expect(opened().declare([])).rejects.toThrow('written by a newer @trigger-hub/embedded')
  })

  it('can be used after the mistake is mended', async () => {
    mkdirSync(path) // a folder where the file should be
    const driver = opened()
    await expect(accept(driver)).rejects.toThrow()
    rmSync(path, { recursive: true })
    await expect(eventually(() => accept(driver).catch(() => undefined))).resolves.toMatchObject({
      is: 'accepted',
    })
  })
})

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

describe('a file that fails', () => {
  /** The thread's work on a database of which some calls fail. */
  function groupCommit(failing: (db: Database) => Partial<Database>) {
    const news: News[] = []
    const faulty: Open = (at) => {
      const db = open(at)
      return { ...db, ...failing(db) }
    }
    const file = new GroupCommit({ path, open: faulty, tell: (one) => news.push(one) })
    files.push(file)
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
    await eventually(() => {
      clock.advance(300_000)
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

describe('the two engines', () => {
  it('read and write the same file in turn', () => {
    const engines = [libsql(), builtIn(), libsql()].filter((engine) => engine !== undefined)
    for (const engine of engines) {
      const db = openWith(engine, path)
      db.get('PRAGMA journal_mode = WAL')
      db.exec('CREATE TABLE IF NOT EXISTS notes (body BLOB, text TEXT) STRICT')
      db.run('INSERT INTO notes VALUES (?, ?)', Buffer.from([0, 255, 10]), 'ä🙂')
      const rows = db.all<{ body: ArrayBuffer | Uint8Array; text: string }>('SELECT * FROM notes')
      for (const { body, text } of rows) {
        expect([...new Uint8Array(body)]).toEqual([0, 255, 10])
        expect(text).toBe('ä🙂')
      }
      db.close()
    }
    expect(count('notes')).toBe(engines.length)
  })
})

describe('options', () => {
  it.each([
    [{ paht: 'x' }, 'ERR_OPTION_UNKNOWN', 'has no option "paht"'],
    [{ lease: '5ms' }, 'ERR_OPTION_INVALID', '"lease"'],
    [{ retention: 'forever' }, 'ERR_OPTION_INVALID', '"retention"'],
  ])('that are wrong are refused when it is made: %j', (options, code, text) => {
    const make = (): unknown => embedded(options as EmbeddedOptions)
    expect(make).toThrow(expect.objectContaining({ code }) as Error)
    expect(make).toThrow(text)
  })
})

describe('what it says of itself', () => {
  it('names its file, its SQLite and what an accepted event survives', async () => {
    const driver = opened()
    await driver.declare([])
    const { summary } = await driver.inspect()
    expect(summary).toContain(path)
    expect(summary).toMatch(/SQLite 3\.\d+\.\d+, (libsql|node:sqlite)/)
    expect(driver.capabilities).toEqual({
      durability: 'disk',
      reach: 'machine',
      maxEventBytes: 64 * 1_024 ** 2,
    })
  })
})

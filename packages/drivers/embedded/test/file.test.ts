import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { embedded, type EmbeddedOptions } from '@trigger-hub/embedded'
import { eventually } from '../../../../test/eventually.ts'
import { builtIn, libsql, open, openWith, type Database, type Value } from '../src/database.ts'
import { preparePlace } from '../src/place.ts'
import { prepare } from '../src/schema.ts'
import { accept, count, folder, opened, path } from './opened.ts'

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
    await expect(accept(driver)).rejects.toThrow(/is a folder: give the option "path" a file in it/)
    rmSync(path, { recursive: true })
    await expect(eventually(() => accept(driver).catch(() => undefined))).resolves.toMatchObject({
      is: 'accepted',
    })
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

import { createRequire } from 'node:module'
import { SetupError } from '@trigger-hub/core'

/** What SQLite stores. */
export type Value = string | number | null | Uint8Array

/** One connection to one SQLite file. Statements are compiled once. Errors are the engine's own: see `troubleOf`. */
export interface Database {
  /** `node:sqlite` or `libsql`. */
  readonly engine: string
  exec(sql: string): void
  /** @returns how many rows were changed */
  run(sql: string, ...values: Value[]): number
  get<Row>(sql: string, ...values: Value[]): Row | undefined
  all<Row>(sql: string, ...values: Value[]): Row[]
  close(): void
}

/** How a `Database` comes to be; tests put a failing one here. */
export type Open = (path: string) => Database

interface Statement {
  run(...values: unknown[]): { changes: number | bigint }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

/** What `node:sqlite` and `libsql` have in common. */
interface Connection {
  exec(sql: string): unknown
  prepare(sql: string): Statement
  close(): void
}

/**
 * Opens or creates the file with the SQLite that is there: the one built into Node.js (from 22.13), else `libsql`.
 * @throws SetupError `ERR_DRIVER_UNUSABLE` when there is neither; the engine's error when the file cannot be opened
 */
export const open: Open = (path) => {
  const engine = builtIn() ?? libsql()
  if (engine) return openWith(engine, path)
  throw new SetupError(
    'ERR_DRIVER_UNUSABLE',
    'The embedded driver finds no SQLite: use Node.js 22.13 or later, or run: npm install libsql',
  )
}

interface Engine {
  readonly name: string
  readonly connect: (path: string) => Connection
  /** How values are handed over: one by one, or, since it copies them otherwise, as one array. */
  readonly bound: (values: Value[]) => unknown[]
}

/** Opens the file with this engine. */
export function openWith({ name, connect, bound }: Engine, path: string): Database {
  const connection = connect(path)
  const statements = new Map<string, Statement>()
  const statement = (sql: string): Statement => {
    let one = statements.get(sql)
    if (!one) statements.set(sql, (one = connection.prepare(sql)))
    return one
  }
  return {
    engine: name,
    exec: (sql) => void connection.exec(sql),
    run: (sql, ...values) => Number(statement(sql).run(...bound(values)).changes),
    get: <Row>(sql: string, ...values: Value[]) => statement(sql).get(...bound(values)) as Row | undefined,
    all: <Row>(sql: string, ...values: Value[]) => statement(sql).all(...bound(values)) as Row[],
    close() {
      statements.clear()
      connection.close()
    },
  }
}

/** The SQLite of Node.js, if it has one. */
export function builtIn(): Engine | undefined {
  const sqlite = withoutSqliteWarning(() => process.getBuiltinModule('node:sqlite') as unknown) as
    { DatabaseSync: new (path: string) => Connection } | undefined
  return (
    sqlite && {
      name: 'node:sqlite',
      connect: (path) => new sqlite.DatabaseSync(path),
      bound: withEmptyBlobs,
    }
  )
}

/** The `libsql` package, if it is installed and has a build for this machine. */
export function libsql(): Engine | undefined {
  try {
    const Database = createRequire(import.meta.url)('libsql') as new (path: string) => Connection
    return { name: 'libsql', connect: (path) => new Database(path), bound: asArray }
  } catch {
    return undefined
  }
}

const emptyBlob = new Uint8Array(1).subarray(0, 0)

/** `node:sqlite` takes a blob without memory for null. */
const withEmptyBlobs = (values: Value[]): Value[] =>
  values.map((value) => (value instanceof Uint8Array && value.length === 0 ? emptyBlob : value))

/** `libsql` ends the process at a boolean, where it throws at anything else that SQLite does not store. */
function asArray(values: readonly unknown[]): unknown[] {
  if (values.some((value) => typeof value === 'boolean')) throw new TypeError('SQLite stores no boolean.')
  return [values]
}

/** Node.js calls `node:sqlite` experimental at its first use. That is our choice, not a thing for the user to act on. */
function withoutSqliteWarning<T>(task: () => T): T {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite')) emitWarning(warning, ...(rest as []))
  }
  try {
    return task()
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * What an error of SQLite means for us: somebody else holds the lock; the file cannot be relied on (I/O error, disk
 * full, damaged, gone), so that the connection must be closed; or only this statement failed.
 * @see https://www.sqlite.org/rescode.html
 */
export function troubleOf(error: unknown): 'busy' | 'broken' | 'statement' {
  const { rawCode, errcode } = error as { rawCode?: number; errcode?: number }
  const code = (rawCode ?? errcode ?? 0) & 0xff
  if (code === 5 || code === 6) return 'busy' // BUSY, LOCKED
  return [7, 8, 10, 11, 13, 14, 26].includes(code) // NOMEM READONLY IOERR CORRUPT FULL CANTOPEN NOTADB
    ? 'broken'
    : 'statement'
}

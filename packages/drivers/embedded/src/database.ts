import { createRequire } from 'node:module'
import { SetupError } from '@trigger-hub/core'

/** What SQLite stores. Nothing else may be bound: `libsql` ends the process at a boolean. */
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

type Engine = new (path: string) => Connection

/**
 * Opens or creates the file with the SQLite that is there: the one built into Node.js (from 22.13), else `libsql`.
 * @throws SetupError `ERR_DRIVER_UNUSABLE` when there is neither; the engine's error when the file cannot be opened
 */
export const open: Open = (path) => {
  const { name, Engine, bound } = engine()
  const connection = new Engine(path)
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

interface Found {
  readonly name: string
  readonly Engine: Engine
  /** How values are handed over: one by one, or, since it copies them otherwise, as one array. */
  readonly bound: (values: Value[]) => unknown[]
}

function engine(): Found {
  const builtIn = withoutSqliteWarning(() => process.getBuiltinModule('node:sqlite') as unknown) as
    { DatabaseSync: Engine } | undefined
  if (builtIn) return { name: 'node:sqlite', Engine: builtIn.DatabaseSync, bound: (values) => values }
  try {
    const Engine = createRequire(import.meta.url)('libsql') as Engine
    return { name: 'libsql', Engine, bound: (values) => [values] }
  } catch (cause) {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      'The embedded driver finds no SQLite: use Node.js 22.13 or later, or run: npm install libsql',
      { cause },
    )
  }
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

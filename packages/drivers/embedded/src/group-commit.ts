import { SetupError, systemClock } from '@trigger-hub/core'
import { Checkpointing } from './checkpointing.ts'
import { troubleOf, type Database, type Open } from './database.ts'
import { fileAt } from './file-at.ts'
import { operations, type OperationName } from './operations/index.ts'
import { prepare } from './schema.ts'
import { Turn } from './turn.ts'

/** One operation on its way to the file. */
export interface Order {
  readonly n: number
  readonly name: OperationName
  readonly args: unknown
  /** Not to be begun after this, by the machine's monotonic clock. */
  readonly until: number
}

/** All that one turn of the main thread's loop asks for, and the time by the driver's clock. */
export interface Orders {
  readonly orders: Order[]
  readonly now: number
  readonly monotonicMs: number
}

export type Answer =
  | { readonly n: number; readonly result: unknown }
  /** `unavailable`: the file is out of reach or locked. Otherwise only this operation failed. */
  | { readonly n: number; readonly unavailable: boolean; readonly message: string }

export type News =
  | { readonly is: 'opened'; readonly engine: string; readonly version: string }
  /** The file cannot be used as it is, so there is no point in trying again. */
  | { readonly is: 'refused'; readonly message: string }
  | { readonly is: 'answers'; readonly answers: Answer[]; readonly woken: string[] }
  /** Another process has written. */
  | { readonly is: 'changed' }
  | { readonly is: 'closed' }

const mostPerGroup = 500
/** With so many deliveries a group ends, since the main thread begins all of them in one turn of its loop. */
const mostHandedOut = 100
const lockRetryMs = 5
const pollMs = 50
const tendMs = 1_000
const firstReopenMs = 100
const longestReopenMs = 5_000

/**
 * Runs everything that has queued up as one transaction with one flush. The thread's whole work: it blocks on locks for
 * some 20 ms at a time, so that it never sits on an operation past its deadline.
 *
 * After an I/O error nothing that the connection believes can be trusted (a failed fsync may have dropped pages that
 * were not written), so it is closed, everybody is refused, and the file is opened again.
 */
export class GroupCommit {
  readonly #path: string
  readonly #open: Open
  readonly #tell: (news: News) => void
  #db: Database | undefined
  #file: string | undefined
  #queue: Order[] = []
  #time = { now: 0, monotonicMs: 0 }
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  #checkpointing: Checkpointing | undefined
  #poll: NodeJS.Timeout | undefined
  readonly #tending: NodeJS.Timeout
  #dataVersion = -1
  #tendedVersion = -1
  #reopenMs = firstReopenMs
  #failure: string | undefined

  constructor({ path, open, tell }: { path: string; open: Open; tell: (news: News) => void }) {
    this.#path = path
    this.#open = open
    this.#tell = tell
    this.#tending = setInterval(() => this.#whileOpen(() => this.#tend()), tendMs)
    this.#reopen()
  }

  push({ orders, now, monotonicMs }: Orders): void {
    this.#time = { now, monotonicMs }
    this.#queue.push(...orders)
    if (this.#failure === undefined) this.#soon()
    else this.#refuseAll(this.#failure)
  }

  /** Looks out for the writes of other processes, or stops doing so. */
  watch(on: boolean): void {
    clearInterval(this.#poll)
    this.#poll = on ? setInterval(() => this.#whileOpen(() => this.#lookOut()), pollMs) : undefined
  }

  /** To be called when nothing is queued any more. */
  close(): void {
    this.watch(false)
    clearInterval(this.#tending)
    clearTimeout(this.#timer as NodeJS.Timeout)
    try {
      this.#checkpointing?.close()
      this.#db?.close()
    } catch {
      // what is in the write-ahead log is as safe there, and the next to open the file reads it
    }
    this.#db = undefined
    this.#tell({ is: 'closed' })
  }

  #soon(): void {
    this.#timer ??= setImmediate(() => {
      this.#timer = undefined
      this.#work()
    })
  }

  #later(ms: number, task: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      task()
    }, ms)
  }

  #work(): void {
    this.#refuseLate()
    if (this.#queue.length === 0) return
    const db = this.#db
    if (!db) return // it is being opened
    const group = this.#queue.slice(0, mostPerGroup)
    try {
      db.exec('BEGIN IMMEDIATE')
      const { answers, woken } = this.#perform(db, group)
      db.exec('COMMIT')
      if (fileAt(this.#path) !== this.#file) throw new Error('it was removed or replaced while in use')
      this.#queue.splice(0, answers.length)
      this.#tell({ is: 'answers', answers, woken })
    } catch (error) {
      if (troubleOf(error) === 'busy') {
        rollback(db)
        return this.#later(lockRetryMs, () => this.#work())
      }
      return this.#breakOff(error)
    }
    if (this.#queue.length > 0) this.#soon()
  }

  /** All in one go; if one of them fails, again with each in a savepoint, so that it alone is undone. */
  #perform(db: Database, group: readonly Order[]): { answers: Answer[]; woken: string[] } {
    let turn = new Turn(db, this.#time)
    let answers: Answer[]
    try {
      answers = []
      for (const order of group) {
        answers.push({ n: order.n, result: run(turn, order) })
        if (turn.handedOut >= mostHandedOut) break
      }
    } catch (error) {
      if (troubleOf(error) !== 'statement') throw error
      db.exec('ROLLBACK; BEGIN IMMEDIATE')
      turn = new Turn(db, this.#time) // somebody else may have written in between
      answers = group.map((order) => runApart(turn, order))
    }
    turn.finish()
    return { answers, woken: [...turn.woken] }
  }

  #refuseLate(): void {
    const now = systemClock.monotonicMs()
    const late = this.#queue.filter(({ until }) => until <= now)
    if (late.length === 0) return
    this.#queue = this.#queue.filter(({ until }) => until > now)
    this.#refuse(late, 'another process holds the lock of its file')
  }

  #refuseAll(message: string): void {
    this.#refuse(this.#queue.splice(0), message)
  }

  #refuse(orders: Order[], message: string): void {
    if (orders.length === 0) return
    const answers = orders.map(({ n }) => ({ n, unavailable: true, message }))
    this.#tell({ is: 'answers', answers, woken: [] })
  }

  #breakOff(error: unknown): void {
    this.#failure = `its file failed (${String(error)}); it is being opened again`
    try {
      this.#checkpointing?.release()
      if (this.#db) rollback(this.#db) // libsql closes only with the last statement, and would hold the lock till then
      this.#db?.close()
    } catch {
      // it is not used any more
    }
    this.#db = undefined
    this.#refuseAll(this.#failure)
    clearTimeout(this.#timer as NodeJS.Timeout)
    this.#later(this.#reopenMs, () => this.#reopen())
    this.#reopenMs = Math.min(this.#reopenMs * 2, longestReopenMs)
  }

  #reopen(): void {
    let db: Database | undefined
    try {
      // a new one would know no bot, and events would be wanted by nobody
      if (this.#file !== undefined && fileAt(this.#path) === undefined) {
        throw new Error('it is gone: put it back, or restart the process to begin a new one')
      }
      db = this.#open(this.#path)
      prepare(db, this.#path)
      if (this.#failure !== undefined) settleLog(db)
      const version = db.get<{ v: string }>('SELECT sqlite_version() AS v')?.v ?? ''
      this.#checkpointing = new Checkpointing(db, this.#open, this.#path)
      this.#checkpointing.tend(false)
      this.#db = db
      this.#file = fileAt(this.#path)
      this.#failure = undefined
      this.#reopenMs = firstReopenMs
      this.#tell({ is: 'opened', engine: db.engine, version })
      this.#soon()
    } catch (error) {
      try {
        db?.close()
      } catch {
        // the first error says more
      }
      if (error instanceof SetupError) return this.#tell({ is: 'refused', message: error.message })
      if (troubleOf(error) === 'busy') {
        this.#refuseLate()
        return this.#later(lockRetryMs, () => this.#reopen())
      }
      this.#breakOff(error)
    }
  }

  #lookOut(): void {
    const version = this.#versionOfOthers()
    if (version === this.#dataVersion) return
    this.#dataVersion = version
    this.#tell({ is: 'changed' })
  }

  #tend(): void {
    const version = this.#versionOfOthers()
    this.#checkpointing?.tend(version !== this.#tendedVersion)
    this.#tendedVersion = version
  }

  /** Changes when another process has written, not when this one has. */
  #versionOfOthers(): number {
    return this.#db?.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? -1
  }

  /** For what is done beside the operations: if it meets a lock, it is for another time. */
  #whileOpen(task: () => void): void {
    if (!this.#db) return
    try {
      task()
    } catch (error) {
      if (troubleOf(error) !== 'busy') this.#breakOff(error)
    }
  }
}

function runApart(turn: Turn, order: Order): Answer {
  turn.db.exec('SAVEPOINT one')
  try {
    const result = run(turn, order)
    turn.db.exec('RELEASE one')
    return { n: order.n, result }
  } catch (error) {
    if (troubleOf(error) !== 'statement') throw error
    turn.db.exec('ROLLBACK TO one; RELEASE one')
    turn.forgetBots()
    return { n: order.n, unavailable: false, message: `${order.name}: ${String(error)}` }
  }
}

const run = (turn: Turn, { name, args }: Order): unknown =>
  (operations[name] as (turn: Turn, args: unknown) => unknown)(turn, args)

function rollback(db: Database): void {
  try {
    db.exec('ROLLBACK')
  } catch {
    // there was no transaction, or the engine has ended it
  }
}

/**
 * After a failed flush the log may look whole in memory and have a hole on the disk. Copying it into the file and
 * flushing that, then starting the log anew, makes the two agree again.
 */
function settleLog(db: Database): void {
  const row = db.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')
  if (row?.busy !== 0) throw Object.assign(new Error('the log is in use'), { errcode: 5 })
}

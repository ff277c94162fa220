import { troubleOf, type Database, type Open } from './database.ts'

/** The write-ahead log is copied into the file when it has this many pages, some 16 MB. */
const logPages = 4_000

/**
 * Copies the write-ahead log into the file, in one process at a time. SQLite before 3.51.3 can damage a file when two
 * connections checkpoint at the same moment as a third one starts the log anew, and most Node.js versions have such an
 * SQLite. So no connection checkpoints by itself but that of the process that has the duty, which is a lock on a file
 * of its own: the system gives it back when the process ends, however it ends.
 * @see https://www.sqlite.org/wal.html#walresetbug
 */
export class Checkpointing {
  readonly #db: Database
  readonly #open: Open
  readonly #path: string
  #duty: Database | undefined

  constructor(db: Database, open: Open, path: string) {
    this.#db = db
    this.#open = open
    this.#path = `${path}-duty`
    this.#db.exec('PRAGMA wal_autocheckpoint = 0')
  }

  /**
   * Takes the duty if nobody has it. To be called now and then.
   * @param others  whether other processes have written since: then their log is copied too
   */
  tend(others: boolean): void {
    if (!this.#duty) this.#takeDuty()
    else if (others) this.#db.get('PRAGMA wal_checkpoint(PASSIVE)')
  }

  close(): void {
    if (this.#duty) this.#db.get('PRAGMA wal_checkpoint(TRUNCATE)')
    this.release()
  }

  /** Leaves the duty to another process, the log as it is. */
  release(): void {
    this.#duty?.exec('ROLLBACK')
    this.#duty?.close()
    this.#duty = undefined
  }

  #takeDuty(): void {
    const duty = this.#open(this.#path)
    try {
      duty.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    } catch (error) {
      duty.close()
      if (troubleOf(error) === 'busy') return
      throw error
    }
    this.#duty = duty
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
  }
}

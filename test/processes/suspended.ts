import { existsSync } from 'node:fs'
import { open, troubleOf } from '../../packages/drivers/embedded/src/database.ts'
import { eventually } from '../eventually.ts'

/**
 * Stops a process with SIGSTOP, at a moment when it does not hold the lock of a file of `embedded()`: it would keep that for as
 * long as it stands still, and nobody else could write.
 * @param file  need not be there
 */
export async function suspended(
  { kill }: { kill: (signal: NodeJS.Signals) => void },
  file: string,
): Promise<void> {
  await eventually(() => {
    kill('SIGSTOP')
    if (!existsSync(file) || isUnlocked(file)) return true
    kill('SIGCONT')
    return false
  })
}

function isUnlocked(file: string): boolean {
  const db = open(file)
  try {
    db.exec('PRAGMA busy_timeout = 200; BEGIN IMMEDIATE; ROLLBACK') // others may write for a moment
    return true
  } catch (error) {
    if (troubleOf(error) === 'busy') return false
    throw error
  } finally {
    db.close()
  }
}

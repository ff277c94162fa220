import { existsSync, readFileSync } from 'node:fs'

/**
 * The lines of a file that other processes are appending to, oldest first. What stands after the last line break is still being
 * written: a reader may see the first half of one write.
 */
export function linesIn(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

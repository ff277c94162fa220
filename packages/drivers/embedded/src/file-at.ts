import { statSync } from 'node:fs'

/**
 * Which file is at a path now; undefined when there is none. SQLite writes on into a file that was removed or replaced,
 * where nobody finds it again.
 */
export function fileAt(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

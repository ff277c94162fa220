import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const cache = join(__dirname, '..', '..', '.cache')

/**
 * A folder of the cache, which is filled once, also when several processes want it at the same time.
 * @param fill  gets a folder to put everything into; nothing is kept of it when it throws
 */
export function cached(name: string, fill: (folder: string) => void): string {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const filling = mkdtempSync(join(dirname(folder), 'filling-'))
  try {
    fill(filling)
    renameSync(filling, folder)
  } catch (error) {
    rmSync(filling, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // otherwise somebody else was faster
  }
  return folder
}

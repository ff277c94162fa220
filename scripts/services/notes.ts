import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(__dirname, '..', '..', '.cache', 'services')

/** Where is written down which servers run for a process. */
export function noteFile(what: string, pid: number): string {
  mkdirSync(folder, { recursive: true })
  return join(folder, `${what}-${pid}.json`)
}

/** What a note says; undefined while there is none. */
export function notes(file: string): Partial<Record<string, string>> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<string, string>>
  } catch {
    return undefined // not there, or not written to the end
  }
}

/** Where a service runs, by the notes of this kind whose process is alive. */
export function noted(service: string, what: string): string | undefined {
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) {
    const [, pid] = new RegExp(`^${what}-(\\d+)\\.json$`).exec(file) ?? []
    const url = pid !== undefined && isRunning(Number(pid)) ? notes(join(folder, file))?.[service] : undefined
    if (url !== undefined) return url
  }
  return undefined
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

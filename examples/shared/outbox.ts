import { mkdirSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Sends a message on a channel: e-mail, SMS, a call of another service. */
export type Send = (channel: string, message: object) => Promise<void>

/** Stands for the world outside: what a real bot would send is a line in `<folder>/<channel>.jsonl`. */
export function outbox(folder: string): Send {
  mkdirSync(folder, { recursive: true })
  return (channel, message) => appendFile(join(folder, `${channel}.jsonl`), `${JSON.stringify(message)}\n`)
}

import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** A file of JSON lines that only grows: what was written stays, whichever process is killed next. */
export class Journal<Line> {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  write(line: Line): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`)
  }

  /** Every line so far, oldest first. What stands after the last line break is still being written. */
  read(): Line[] {
    if (!existsSync(this.#path)) return []
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Line)
  }
}

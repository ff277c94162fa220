import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '../../../../test/eventually.ts'

const source = ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs']

/** A real process that runs one role of `child.ts`. */
export class Child {
  readonly lines: string[] = []
  readonly process: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param limit  most blocks of 512 or 1,024 bytes that a file of it may have, as `ulimit -f` */
  constructor(
    role: string,
    path: string,
    { argument = '', limit }: { argument?: string; limit?: number } = {},
  ) {
    const words = [process.execPath, ...source, join(__dirname, 'child.ts'), role, path, argument]
    const limited = ['sh', '-c', `ulimit -f ${limit}; exec "$@"`, 'sh', ...words]
    const [program = '', ...args] = limit === undefined ? words : limited
    this.process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.process, 'close') // then it has also said everything
    if (!this.process.stdout) throw new Error('The child has no output.')
    createInterface(this.process.stdout).on('line', (line) => this.lines.push(line))
  }

  /** Resolves to the first line that begins so. */
  async says(beginning: string): Promise<string> {
    return eventually(() => this.lines.find((one) => one.startsWith(beginning)))
  }

  /** What comes after the word in every line that begins with it. */
  all(word: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
  }

  tell(): void {
    this.process.stdin?.write('go\n')
  }

  readonly kill = (signal: NodeJS.Signals): void => void this.process.kill(signal)

  /** Resolves to the exit code; null when a signal ended it. */
  async exited(): Promise<number | null> {
    await this.#exited
    return this.process.exitCode
  }

  async end(): Promise<void> {
    this.kill('SIGKILL')
    await this.#exited
  }
}

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Report, Said, Started } from './server.ts'

/** A server in a process of its own, so that what it does to its event loop and its memory can be seen. */
export class Fuzzed {
  readonly port: number
  /** How long one turn of the event loop may take: 50 ms, and in proportion more on a slower machine. */
  readonly mostStallMs: number
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, { port, slowness }: Said & { is: 'up' }) {
    this.#process = child
    this.port = port
    this.mostStallMs = 50 * Math.max(1, slowness)
  }

  static async start(options: Started = {}): Promise<Fuzzed> {
    const child = fork(join(__dirname, 'server.ts'), [JSON.stringify(options)], {
      execArgv: ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs', '--max-http-header-size=262144'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const [said] = (await once(child, 'message')) as [Said]
    if (said.is !== 'up') throw new Error('The server did not come up.')
    return new Fuzzed(child, said)
  }

  /** What it says about itself since it was asked last. Rejects when it is not there any more. */
  async report(): Promise<Report> {
    if (!this.isAlive) throw new Error('The server has ended.')
    const answer = once(this.#process, 'message')
    this.#process.send('report')
    const [said] = (await answer) as [Report]
    return said
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  async end(): Promise<void> {
    this.#process.kill('SIGKILL')
    if (this.isAlive) await once(this.#process, 'exit')
  }
}

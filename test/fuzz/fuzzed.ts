import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Report, Said } from './server.ts'

/** A server in a process of its own, so that what it does to its event loop and its memory can be seen. */
export class Fuzzed {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.port = port
  }

  static async start(): Promise<Fuzzed> {
    const child = fork(join(__dirname, 'server.ts'), {
      execArgv: ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs', '--max-http-header-size=262144'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const [said] = (await once(child, 'message')) as [Said]
    if (said.is !== 'up') throw new Error('The server did not come up.')
    return new Fuzzed(child, said.port)
  }

  /** What it says about itself since it was asked last. Rejects when it is not there any more. */
  async report(): Promise<Report> {
    if (!this.isAlive) throw new Error('The server has ended.')
    this.#process.send('report')
    const [said] = (await once(this.#process, 'message')) as [Report]
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

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { AppOptions, Said, Told } from './app.ts'

const running = new Set<ChildProcess>()

/** Ends every process that is still there. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }),
  )
}

/** One process with an app and a hub. It has loaded its code before it is started, so that a restart takes no time. */
export class Child {
  readonly pid: number
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #process: ChildProcess
  readonly #loaded: Promise<unknown>

  constructor(options: AppOptions) {
    this.#process = fork(join(__dirname, 'app.ts'), [JSON.stringify(options)], {
      execArgv: ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs'],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.pid = this.#process.pid ?? -1
    running.add(this.#process)
    this.exited = new Promise((resolve) =>
      this.#process.once('exit', (code, signal) => {
        running.delete(this.#process)
        resolve({ code, signal })
      }),
    )
    this.#loaded = this.#hears('loaded')
  }

  /** @returns the port of its server */
  async start(): Promise<number> {
    await this.#loaded
    const up = this.#hears('up')
    this.#tell('start')
    return (await up).port
  }

  /** Resolves when nothing is left to do and the dead letters are written down. */
  async quiet(): Promise<void> {
    const quiet = this.#hears('quiet')
    this.#tell('when quiet')
    await quiet
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  #tell(told: Told): void {
    if (this.#process.connected) this.#process.send(told)
  }

  /** What it says of this kind. Rejects when it ends without. */
  #hears<Is extends Said['is']>(is: Is): Promise<Extract<Said, { is: Is }>> {
    const heard = new Promise<Extract<Said, { is: Is }>>((resolve, reject) => {
      const hear = (said: Said): void => {
        if (said.is !== is) return
        this.#process.off('message', hear)
        resolve(said as Extract<Said, { is: Is }>)
      }
      this.#process.on('message', hear)
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`A process ended with ${signal ?? code} before it was ${is}.`)),
      )
    })
    heard.catch(() => undefined) // a successor may be killed while nobody waits for it
    return heard
  }
}

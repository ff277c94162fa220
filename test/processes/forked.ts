import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What every process says of itself: it has loaded its code, it listens. */
export type Born = { readonly is: 'loaded' } | { readonly is: 'up'; readonly port: number }

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

/**
 * A process of its own that serves an app. It has loaded its code before it is started, so that a restart takes no time.
 * What it says and is told are messages of its channel.
 */
export class Forked {
  readonly pid: number
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #process: ChildProcess
  readonly #loaded: Promise<unknown>

  /**
   * @param file     TypeScript, as it is
   * @param options  its first argument, as JSON
   */
  constructor(file: string, options: object) {
    this.#process = fork(file, [JSON.stringify(options)], {
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
    this.#loaded = this.hears('loaded')
  }

  /** @returns the port of its server */
  async start(): Promise<number> {
    await this.#loaded
    const up = this.hears<Born & { is: 'up' }>('up')
    this.tell('start')
    return (await up).port
  }

  readonly kill = (signal: NodeJS.Signals): void => void this.#process.kill(signal)

  protected tell(told: string): void {
    if (this.#process.connected) this.#process.send(told)
  }

  /** What it says of this kind. Rejects when it ends without. */
  protected hears<Said extends { readonly is: string }>(is: Said['is']): Promise<Said> {
    const heard = new Promise<Said>((resolve, reject) => {
      const hear = (said: Said): void => {
        if (said.is !== is) return
        this.#process.off('message', hear)
        resolve(said)
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

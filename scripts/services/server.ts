import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A server that was started here: a process of its own, with ports and data of its own. */
export interface Server {
  readonly url: string
  readonly pid: number
  /** Resolves at once for SIGSTOP and SIGCONT, otherwise when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Ends it with SIGKILL if it still runs, and starts it on the same port and data. */
  restart(): Promise<void>
  /** Ends it in good order, and removes its data unless the caller has named the folder. */
  stop(): Promise<void>
}

export interface Launch {
  readonly name: string
  readonly url: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly folder: Folder
  /** Asks it whether it serves. */
  readonly isUp: () => Promise<boolean>
  /** Ends what it has started beside itself. */
  readonly onStopped?: () => void
}

/** Where a server has its data and its log. */
export interface Folder {
  readonly path: string
  readonly isOurs: boolean
}

const startMs = 90_000
const stopMs = 10_000

/** A folder for one server: the one that was asked for, or a new one. */
export function folderOf(name: string, asked: string | undefined): Folder {
  if (asked === undefined) return { path: mkdtempSync(join(tmpdir(), `trigger-hub-${name}-`)), isOurs: true }
  mkdirSync(asked, { recursive: true })
  return { path: asked, isOurs: false }
}

/**
 * A port of 127.0.0.1 that nobody listens on. It is none of those that the system hands out by itself, since a server takes
 * seconds to come up and keeps its port while it is killed and started again; nor is the one 10,000 above it, where the nodes
 * of a Redis cluster talk to each other.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 20_000)
    if (handedOut.has(port)) continue // it may be for a server that has not come up yet
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    handedOut.add(port)
    return port
  }
}

const handedOut = new Set<number>()

/**
 * Starts a server and waits until it serves.
 * @throws Error with the end of its log when it does not come up
 */
export async function launch(options: Launch): Promise<Server> {
  const server = new Launched(options)
  await server.start()
  return server
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

class Launched implements Server {
  readonly url: string
  readonly #options: Launch
  #process: ChildProcess | undefined

  constructor(options: Launch) {
    this.url = options.url
    this.#options = options
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  async start(): Promise<void> {
    const { program, args, env, folder, isUp } = this.#options
    const log = openSync(this.#logFile, 'a')
    const child = spawn(program, args, {
      cwd: folder.path,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    let failure: Error | undefined
    child.on('error', (error) => (failure = error))
    child.on('exit', () => running.delete(child))
    running.add(child)
    this.#process = child
    for (const deadline = Date.now() + startMs; !(await isUp().catch(() => false)); await wait(20)) {
      if (!failure && isAlive(child) && Date.now() < deadline) continue
      child.kill('SIGKILL')
      throw new Error(`${this.#options.name} did not come up. ${failure?.message ?? this.#endOfLog()}`)
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (!child || !isAlive(child)) return
    const exited = once(child, 'exit')
    child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await exited
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL')
    await this.start()
  }

  async stop(): Promise<void> {
    const { folder, onStopped } = this.#options
    const child = this.#process
    if (child && isAlive(child)) {
      child.kill('SIGCONT')
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await this.kill('SIGTERM')
      clearTimeout(late)
    }
    onStopped?.()
    if (folder.isOurs) rmSync(folder.path, { recursive: true, force: true })
  }

  get #logFile(): string {
    return join(this.#options.folder.path, 'server.log')
  }

  #endOfLog(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-2_000)
  }
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** A process of the app. */
export interface Running {
  readonly pid: number
  /** Where a receiver listens. */
  readonly port: number
  /** Ends it and resolves when it has gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Resolves when it has gone, however. */
  readonly gone: Promise<unknown>
}

/** Those that have not gone, and when they will have. */
const children = new Map<ChildProcess, Promise<unknown>>()
const goodbyeMs = 10_000
let isOver = false

/** Starts the app in a process of its own. Resolves once it receives or works. */
export async function start(role: 'receiver' | 'worker', env: NodeJS.ProcessEnv): Promise<Running> {
  if (isOver) throw new Error('The demo is over.')
  const child = spawn(process.execPath, [...process.execArgv, join(__dirname, 'app.ts')], {
    env: { ...process.env, ...env, ROLE: role },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit').finally(() => children.delete(child))
  children.set(child, gone)
  const [ready] = (await Promise.race([once(child, 'message'), gone])) as [unknown]
  if (typeof ready !== 'object' || ready === null) throw new Error(`The ${role} did not start.`)
  return {
    pid: child.pid ?? 0,
    port: (ready as { port?: number }).port ?? 0,
    gone,
    async end(signal) {
      child.kill(signal)
      await gone
    },
  }
}

/** Ends what is left, the hard way if it takes too long. */
export async function endAll(): Promise<void> {
  isOver = true
  const allGone = Promise.all(children.values())
  for (const child of children.keys()) child.kill('SIGTERM')
  await Promise.race([allGone, setTimeout(goodbyeMs, undefined, { ref: false })])
  for (const child of children.keys()) child.kill('SIGKILL')
  await allGone // what still runs still writes
}

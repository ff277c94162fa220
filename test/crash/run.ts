import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { AppOptions } from './app.ts'
import { Child, endAll } from './child.ts'
import { appender, readLedger, type Cut, type Ledger } from './ledger.ts'
import { message, Sender, type Message } from './sender.ts'

export interface CrashRun {
  readonly events: number
  /** Most requests under way. */
  readonly inFlight: number
  /** A process lives about this long once it is up, half to one and a half times; then it is killed. */
  readonly life: { readonly ms: number } | { readonly answers: number }
  readonly seed: number
  /** The processes, each restarted after its kill; one of them receives. */
  readonly roles: readonly AppOptions['role'][]
  readonly app?: Omit<AppOptions, 'folder' | 'role'>
}

/** A new folder for one run. */
export const freshFolder = (): string => mkdtempSync(join(tmpdir(), 'trigger-hub-crash-'))
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/**
 * Sends events at full speed while the processes that receive and work on them are killed again and again, until
 * everything has been answered; then lets what is left be worked off in peace.
 */
export async function crashRun(folder: string, run: CrashRun): Promise<Ledger> {
  const { events, inFlight, life, seed, roles, app } = run
  const random = seeded(seed)
  const about = (amount: number): number => Math.round(amount * (0.5 + random()))
  const slots = roles.map((role) => new Slot({ ...app, folder, role }))
  const receiver = slots.find(({ role }) => role !== 'worker')!
  const worker = slots.find(({ role }) => role !== 'receiver')!
  const sender = new Sender(folder, () => receiver.port)
  const queue = messages(events, random)
  let answered = 0

  const send = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      await sender.deliver(next)
      answered++
    }
  }
  const ofLife = async (): Promise<void> => {
    if ('ms' in life) return wait(about(life.ms))
    const last = answered + about(life.answers)
    while (answered < last && queue.length > 0) await wait(1)
  }
  const killing = async (slot: Slot): Promise<void> => {
    while (queue.length > 0) {
      await ofLife()
      if (queue.length > 0) await slot.cut()
    }
  }
  try {
    await Promise.all(slots.map((slot) => slot.start()))
    await Promise.all([...slots.map(killing), ...Array.from({ length: inFlight }, send)])
    await worker.quiet()
    for (const slot of slots) await slot.end()
    return readLedger(folder)
  } finally {
    queue.length = 0
    sender.close()
    await endAll()
  }
}

/** The events, some of them sent again, and some that nobody signed, in a random order. */
function messages(events: number, random: () => number): Message[] {
  const all: Message[] = []
  for (let n = 0; n < events; n++) {
    const one = message(n)
    all.push(one)
    if (random() < 0.1) all.push(one)
    if (random() < 0.05) all.push(message(n, { forged: true }))
  }
  return all
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

/** Where a process runs that is started again whenever it was killed. Its successor waits with its code loaded. */
class Slot {
  readonly role: AppOptions['role']
  /** 0 while there is nobody. */
  port = 0
  readonly #options: AppOptions
  readonly #cuts: (line: Cut) => void
  #current: Child
  #next: Child

  constructor(options: AppOptions) {
    this.role = options.role
    this.#options = options
    this.#cuts = appender<Cut>(options.folder, 'cuts')
    this.#current = new Child(options)
    this.#next = new Child(options)
  }

  async start(): Promise<void> {
    this.port = await this.#current.start()
  }

  /** SIGKILL, then the successor. */
  async cut(): Promise<void> {
    this.#cuts({ pid: this.#current.pid })
    this.#current.kill('SIGKILL')
    this.port = 0
    await this.#current.exited
    this.#current = this.#next
    this.#next = new Child(this.#options)
    await this.start()
  }

  quiet(): Promise<void> {
    return this.#current.quiet()
  }

  /** SIGTERM, as a rolling restart sends it. */
  async end(): Promise<void> {
    this.#current.kill('SIGTERM')
    const { code, signal } = await this.#current.exited
    if (code !== 0) throw new Error(`The ${this.role} ended with ${signal ?? code} after SIGTERM.`)
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

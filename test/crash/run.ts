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
  /**
   * A process is killed after about so many answers to the sender, half to one and a half times; so is its successor. One that
   * works is not killed before it does.
   */
  readonly life: number
  readonly seed: number
  /** The processes, each restarted after its kill; one of them receives. */
  readonly roles: readonly AppOptions['role'][]
  readonly app?: Omit<AppOptions, 'folder' | 'role'>
}

/** Longer than a worker takes to get what a killed one had, whose lease has to run out. */
const patienceMs = 20_000

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
  const slots = roles.map((role) => new Slot({ ...app, folder, role }))
  const receiver = slots.find(({ role }) => role !== 'worker')!
  const worker = slots.find(({ role }) => role !== 'receiver')!
  const sender = new Sender(folder, () => receiver.port)
  const queue = messages(events, random)
  const last = queue.length - inFlight // so that others are still under way
  let answered = 0
  let isOver = false

  const send = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      await sender.deliver(next)
      answered++
    }
  }
  const killing = async (slot: Slot, ends: readonly number[]): Promise<void> => {
    for (const end of ends) {
      while (answered < end && !isOver) await wait(1)
      if (isOver || !(await slot.works())) return
      await slot.cut()
    }
  }
  const kills = slots.map((slot) => ({ slot, ends: endsOfLives(life, last, random) }))
  try {
    await Promise.all(slots.map((slot) => slot.start()))
    await Promise.all([
      ...kills.map(({ slot, ends }) => killing(slot, ends)),
      ...Array.from({ length: inFlight }, send),
    ])
    await worker.quiet()
    for (const slot of slots) await slot.end()
    return readLedger(folder)
  } finally {
    isOver = true
    sender.close()
    await endAll()
  }
}

/** After how many answers in all the processes of a slot are killed: so often on every machine. */
function endsOfLives(life: number, last: number, random: () => number): number[] {
  const ends: number[] = []
  const next = (): number => (ends.at(-1) ?? 0) + Math.round(life * (0.5 + random()))
  for (let end = next(); end < last; end = next()) ends.push(end)
  return ends
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

  /** True once a run has begun in the present process, so that a kill meets some; false when there is nothing to run. */
  works(): Promise<boolean> {
    if (this.role === 'receiver') return Promise.resolve(true)
    const begun = this.#current.working.then(() => true)
    return Promise.race([begun, wait(patienceMs, false, { ref: false })])
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

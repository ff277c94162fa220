import { pattern, type BotDeclaration, type Pattern } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { declareScript, retireScript } from './scripts/registry.ts'

interface RegisteredBot {
  readonly name: string
  readonly patterns: readonly Pattern[]
}

/** Of all calls that nobody waits for at a sender's expense. */
export const patienceMs = 5_000

/**
 * The registry as this process last saw it. Events are matched here, and the server refuses a match that was made by an
 * older version of it.
 */
export class Registry {
  readonly #connection: Connection
  /** What this process has declared, for a server that has lost its data. */
  readonly #declared = new Map<string, string>()
  #bots: readonly RegisteredBot[] = []
  #version = ''

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** By which version of the registry `wanting` answers. */
  get version(): string {
    return this.#version
  }

  async declare(bots: readonly BotDeclaration[], timeoutMs = patienceMs): Promise<void> {
    for (const { name, on } of bots) this.#declared.set(name, JSON.stringify(on))
    await this.#load(
      bots.flatMap(({ name, on }) => [name, JSON.stringify(on)]),
      timeoutMs,
    )
  }

  /** Looks at the server's again. One that has lost its data is told once more what was declared here. */
  async reload(timeoutMs: number): Promise<void> {
    const before = this.#version
    await this.#load([], timeoutMs)
    if (before === '' || isSuccessor(this.#version, before)) return
    await this.#load([...this.#declared].flat(), timeoutMs)
  }

  async retire(bot: string): Promise<void> {
    this.#declared.delete(bot)
    for (let last = ''; ;) {
      last = String(await this.#connection.run(retireScript, [bot, last], patienceMs))
      if (last === '') break
    }
    await this.reload(patienceMs)
  }

  /** The names of the bots that want such an event. */
  wanting(source: string, type: string): string[] {
    const wants = ({ patterns }: RegisteredBot): boolean => patterns.some((one) => one.matches(source, type))
    return this.#bots.filter(wants).map(({ name }) => name)
  }

  async #load(declared: readonly string[], timeoutMs: number): Promise<void> {
    const answer = await this.#connection.run(declareScript, declared, timeoutMs)
    const [version, bots] = answer as [Buffer, Buffer[]]
    this.#version = String(version)
    this.#bots = pairs(bots.map(String)).map(([name, on]) => ({
      name,
      patterns: (JSON.parse(on) as string[]).map(pattern),
    }))
  }
}

/** Whether a registry has come out of another one: it was not begun anew, and no change was lost in a failover. */
function isSuccessor(version: string, before: string): boolean {
  const [epoch, n = 0, instant] = version.split('.')
  const [epochBefore, nBefore = 0, instantBefore] = before.split('.')
  if (epoch !== epochBefore) return false
  return Number(n) > Number(nBefore) || (n === nBefore && instant === instantBefore)
}

const pairs = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((value, at) => (at % 2 === 0 ? [[value, flat[at + 1] ?? ''] as [string, string]] : []))

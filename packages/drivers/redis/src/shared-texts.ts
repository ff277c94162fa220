import { randomUUID } from 'node:crypto'
import type { CompanionStore, Shared } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'
import { shareScript } from './scripts/shared.ts'

/** Small texts that all processes share, changed by who has seen the latest. */
export class SharedTexts implements Pick<CompanionStore, 'shared' | 'share'> {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async shared(name: string): Promise<Shared | undefined> {
    const key = this.#connection.key(`shared:${name}`)
    const [text, version] = await this.#connection.call(
      ({ client }) => client.hmget(key, 'text', 'version'),
      patienceMs,
    )
    return typeof text === 'string' && typeof version === 'string' ? { text, version } : undefined
  }

  async share(name: string, text: string, version = ''): Promise<boolean> {
    const args = [name, version, text, randomUUID()]
    return (await this.#connection.run(shareScript, args, patienceMs)) === 1
  }
}

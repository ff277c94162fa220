import { randomUUID } from 'node:crypto'
import type { Claim, Held, Shared, StoredReply, Tally, TracedClaimOptions } from '@trigger-hub/core'
import type { DatabaseThread } from './database-thread.ts'
import { bufferOf } from './event-record.ts'

/** Who is at work on a key, and the reply once there is one; what processes share beside events. */
export class EmbeddedStore {
  readonly #thread: DatabaseThread

  constructor(thread: DatabaseThread) {
    this.#thread = thread
  }

  async claim(
    key: string,
    fingerprint: string,
    { leaseMs, timeoutMs, trace, token = randomUUID() }: TracedClaimOptions,
  ): Promise<Claim> {
    const { note = null, keepMs = 0, bot = null } = trace ?? {}
    const args = { key, fingerprint, token, leaseMs, note, keepMs, bot }
    const claimed = await this.#thread.call('claimKey', args, timeoutMs)
    switch (claimed.is) {
      case 'claimed':
        return { is: 'claimed', key, token, before: JSON.parse(claimed.before) as string[] }
      case 'completed': {
        const headers = JSON.parse(claimed.headers) as StoredReply['headers']
        const body = claimed.body === null ? {} : { body: bufferOf(claimed.body) }
        return { is: 'completed', reply: { status: claimed.status, headers, ...body } }
      }
      case 'in-flight':
      case 'mismatch':
        return { ...claimed }
    }
  }

  renew({ key, token }: Held, leaseMs: number): Promise<boolean> {
    return this.#thread.call('renewClaim', { key, token, leaseMs })
  }

  complete({ key, token }: Held, { status, headers, body }: StoredReply, ttlMs: number): Promise<boolean> {
    const args = { key, token, status, headers: JSON.stringify(headers), body: body ?? null, ttlMs }
    return this.#thread.call('completeClaim', args)
  }

  release({ key, token }: Held, note?: string): Promise<boolean> {
    return this.#thread.call('releaseClaim', { key, token, note: note ?? null })
  }

  async tally(bot: string | null): Promise<Tally> {
    return { ...(await this.#thread.call('tallyBot', { bot })) }
  }

  async shared(name: string): Promise<Shared | undefined> {
    const row = await this.#thread.call('readShared', { name })
    return row ? { text: row.text, version: String(row.version) } : undefined
  }

  share(name: string, text: string, version: string | undefined): Promise<boolean> {
    return this.#thread.call('writeShared', { name, text, version: Number(version ?? 0) })
  }
}

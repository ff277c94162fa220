import { randomUUID } from 'node:crypto'
import type { Claim, Held, Shared, StoredReply, Tally, TracedClaimOptions } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'
import {
  claimScript,
  completeScript,
  releaseScript,
  renewClaimScript,
  tallyScript,
} from './scripts/claims.ts'
import { shareScript } from './scripts/shared.ts'

/**
 * Who is at work on a key, what holders before have left, and the reply once there is one; by the server's clock. Beside
 * them, small texts that all processes share, changed by who has seen the latest.
 */
export class RedisStore {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async claim(
    key: string,
    fingerprint: string,
    { leaseMs, timeoutMs, trace, token = randomUUID() }: TracedClaimOptions,
  ): Promise<Claim> {
    const traced = trace ? [trace.note, Math.max(0, Math.round(trace.keepMs)), trace.bot ?? ''] : []
    const args = [key, fingerprint, token, wholeMs(leaseMs), ...traced]
    const answer = (await this.#connection.run(claimScript, args, timeoutMs)) as [Buffer, ...unknown[]]
    const [is, first, headers, hasBody, body] = answer
    switch (String(is)) {
      case 'claimed':
        return { is: 'claimed', key, token, before: (first as Buffer[]).map(String) }
      case 'in-flight':
        return { is: 'in-flight', retryAfterMs: Math.max(1, Number(first)) }
      case 'completed':
        return {
          is: 'completed',
          reply: {
            status: Number(String(first)),
            headers: JSON.parse(String(headers)) as StoredReply['headers'],
            ...(String(hasBody) === '1' ? { body: body as Buffer } : {}),
          },
        }
      default:
        return { is: 'mismatch' }
    }
  }

  async renew({ key, token }: Held, leaseMs: number): Promise<boolean> {
    const args = [key, token, wholeMs(leaseMs)]
    return (await this.#connection.run(renewClaimScript, args, patienceMs)) === 1
  }

  async complete(
    { key, token }: Held,
    { status, headers, body }: StoredReply,
    ttlMs: number,
  ): Promise<boolean> {
    const reply = [status, JSON.stringify(headers), ...(body ? [body] : [])]
    const args = [key, token, wholeMs(ttlMs), ...reply]
    return (await this.#connection.run(completeScript, args, patienceMs)) === 1
  }

  async release({ key, token }: Held, note?: string): Promise<boolean> {
    const args = [key, token, ...(note === undefined ? [] : [note])]
    return (await this.#connection.run(releaseScript, args, patienceMs)) === 1
  }

  async tally(bot: string | null): Promise<Tally> {
    const answer = await this.#connection.run(tallyScript, [bot ?? ''], patienceMs)
    const [held, left, deadLetters] = answer as [number, number, number]
    return { held, left, deadLetters }
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

const wholeMs = (ms: number): number => Math.max(1, Math.round(ms))

import { randomUUID } from 'node:crypto'
import type { Claim, Held, Store, StoredReply } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'
import { claimScript, completeScript, releaseScript, renewClaimScript } from './scripts/claims.ts'

/** Who is at work on a key, and the reply once there is one. Leases run by the clock of the server. */
export class Keys implements Pick<Store, 'claim' | 'renew' | 'complete' | 'release'> {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async claim(
    key: string,
    fingerprint: string,
    { leaseMs, timeoutMs }: { leaseMs: number; timeoutMs: number },
  ): Promise<Claim> {
    const token = randomUUID()
    const args = [key, fingerprint, token, Math.max(1, Math.round(leaseMs))]
    const answer = (await this.#connection.run(claimScript, args, timeoutMs)) as [
      Buffer,
      ...(Buffer | number)[],
    ]
    const [is, first, headers, hasBody, body] = answer
    switch (String(is)) {
      case 'claimed':
        return { is: 'claimed', key, token }
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
    const args = [key, token, Math.max(1, Math.round(leaseMs))]
    return (await this.#connection.run(renewClaimScript, args, patienceMs)) === 1
  }

  async complete(
    { key, token }: Held,
    { status, headers, body }: StoredReply,
    ttlMs: number,
  ): Promise<boolean> {
    const reply = [status, JSON.stringify(headers), ...(body ? [body] : [])]
    const args = [key, token, Math.max(1, Math.round(ttlMs)), ...reply]
    return (await this.#connection.run(completeScript, args, patienceMs)) === 1
  }

  async release({ key, token }: Held): Promise<boolean> {
    return (await this.#connection.run(releaseScript, [key, token], patienceMs)) === 1
  }
}

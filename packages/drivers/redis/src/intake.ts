import type { AcceptOptions, Accepted, EventRecord } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { recordOf } from './event-record.ts'
import type { Registry } from './registry.ts'
import { acceptScript } from './scripts/accept.ts'
import { Turn } from './turn.ts'

interface Item {
  readonly event: EventRecord
  readonly options: AcceptOptions
}

/** Most events of one script. With several on their way, the server works on one while the next is being written. */
const mostAtOnce = 16
/** How often an accept begins anew because bots were declared meanwhile. */
const mostReloads = 5
/** How long a command for an event without a key recognises its own event. */
const longestTokenMs = 3_600_000

/** Accepts events, those of one turn of the event loop with one script. */
export class Intake {
  readonly #connection: Connection
  readonly #registry: Registry
  readonly #turn = new Turn<Item, Accepted>(mostAtOnce, (items) => this.#acceptAll(items))

  constructor(connection: Connection, registry: Registry) {
    this.#connection = connection
    this.#registry = registry
  }

  accept(event: EventRecord, options: AcceptOptions): Promise<Accepted> {
    return this.#turn.add({ event, options })
  }

  async #acceptAll(items: readonly Item[]): Promise<Accepted[]> {
    const until = performance.now() + Math.min(...items.map(({ options }) => options.timeoutMs))
    for (let nth = 0; nth < mostReloads; nth++) {
      const args = [this.#registry.version, ...items.flatMap((item) => this.#argsOf(item))]
      const answers = await this.#connection.run(acceptScript, args, until - performance.now())
      if (answers) return (answers as (Buffer | number)[][]).map(acceptedOf)
      await this.#registry.reload(until - performance.now())
    }
    throw this.#connection.unavailable(new Error('its registry does not come to rest'))
  }

  #argsOf({ event, options }: Item): (string | number | Buffer)[] {
    const { key, fingerprint, replayKey = '', onReplay, ttlMs, token, quarantine, resume } = options
    const bots = this.#registry.wanting(event.source, event.type)
    const resumed = resume && bots.includes(resume.bot) ? resume : undefined
    const others = bots.filter((bot) => bot !== resumed?.bot)
    return [
      key ?? `token:${token}`,
      fingerprint,
      replayKey,
      quarantine ? 'q' : onReplay === 'reject' ? 'r' : '',
      Math.max(1, key === undefined ? Math.min(ttlMs, longestTokenMs) : ttlMs),
      token,
      event.id,
      recordOf(event),
      resumed?.bot ?? '',
      resumed?.afterMs ?? 0,
      resumed ? resumed.attempts.length + 1 : 1,
      JSON.stringify(resumed?.attempts ?? []),
      others.length,
      ...others,
    ]
  }
}

function acceptedOf([is, id, more]: readonly (Buffer | number)[]): Accepted {
  switch (String(is)) {
    case 'accepted':
      return { is: 'accepted', id: String(id), ...(String(more) === 's' ? { replaySuspected: true } : {}) }
    case 'duplicate':
      return { is: 'duplicate', id: String(id), deadLetters: Number(more) }
    case 'mismatch':
      return { is: 'mismatch', id: String(id) }
    default:
      return { is: 'replay' }
  }
}

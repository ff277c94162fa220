import {
  TriggerHub,
  type Driver,
  type LogRecord,
  type Store,
  type TriggerHubOptions,
  type WebhookEvent,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { github, hmac, shopify, slack, standardWebhooks, stripe, svix } from '@trigger-hub/core/sources'
import { sign, type Message, type Source } from '@trigger-hub/core/verify'
import type { App, Serve, Served } from './app.ts'
import { send, sendHalf, type Got, type Sent } from './send.ts'

const patienceMs = 10_000
const secret = 'a secret of the adapter suite'
const base64Secret = `whsec_${Buffer.from('another secret of the suite').toString('base64')}`

/** Senders of every form of signature. */
export const senders = {
  plain: hmac({ secret }),
  github: github({ secret }),
  stripe: stripe({ secret: 'whsec_of_the_adapter_suite' }),
  shopify: shopify({ secret }),
  slack: slack({ secret }),
  standard: standardWebhooks({ secret: base64Secret }),
  svix: svix({ secret: base64Secret }),
} satisfies Record<string, Source>

export type Sender = keyof typeof senders

/** The headers of a sender and the body that they are for. */
export function signed(
  sender: Sender,
  body: Buffer | string,
  message: Partial<Message> = {},
): Required<Pick<Sent, 'headers' | 'body'>> & { headers: Record<string, string> } {
  const rawBody = Buffer.from(body)
  const own = sign(senders[sender], { rawBody, id: 'msg_1', nowMs: Date.now(), ...message })
  return { headers: { 'content-type': 'application/json', ...own }, body: rawBody }
}

/** Sends a request to an app. */
export interface Post {
  (path: string, sent: Sent): Promise<Got>
  /** Leaves in the middle of the body. */
  half(path: string, sent: Sent): Promise<void>
}

/** A bot at work, and what it saw. */
export type Seen = Pick<WebhookEvent, 'source' | 'type' | 'data' | 'rawBody' | 'marks' | 'key'>

/** What one case works with: apps of one adapter, hubs and requests. */
export class AdapterTrial {
  readonly #serve: Serve
  readonly #served: Served[] = []
  readonly #hubs: TriggerHub[] = []
  /** What the hubs logged. */
  readonly logged: LogRecord[] = []
  /** What the bot of every hub saw, in order. */
  readonly seen: WebhookEvent[] = []

  private constructor(serve: Serve) {
    this.#serve = serve
  }

  static async run(serve: Serve, body: (trial: AdapterTrial) => Promise<void>): Promise<void> {
    const trial = new AdapterTrial(serve)
    try {
      await body(trial)
    } finally {
      await Promise.all(trial.#served.map((served) => served.close()))
      await Promise.all(trial.#hubs.map((hub) => hub.close({ deadline: 100 })))
    }
  }

  /** A hub of all senders with one bot at work, on a driver in memory. */
  async hub(
    options: Partial<TriggerHubOptions> = {},
    bot: (event: WebhookEvent) => unknown = () => undefined,
  ): Promise<TriggerHub> {
    const driver: Driver & Store = memory()
    const hub = new TriggerHub({
      driver,
      allowVolatile: true,
      sources: senders,
      log: (record) => void this.logged.push(record),
      ...options,
    })
    hub.bot('bot', { on: '*:**', retry: { retries: 0 } }, (event) => {
      this.seen.push(event)
      return bot(event)
    })
    this.#hubs.push(hub)
    await hub.work()
    return hub
  }

  /** Serves an app until the case is over. @returns how to send to it */
  async serve(app: App): Promise<Post> {
    const served = await this.#serve(app)
    this.#served.push(served)
    const post = (path: string, sent: Sent): Promise<Got> => send(`${served.url}${path}`, sent)
    return Object.assign(post, {
      half: (path: string, sent: Sent) => sendHalf(`${served.url}${path}`, sent),
    })
  }

  /** Serves a hub at `/webhooks` alone. */
  async receiving(
    options?: Partial<TriggerHubOptions>,
    bot?: (event: WebhookEvent) => unknown,
  ): Promise<Post> {
    return this.serve({ hubs: { '/webhooks': await this.hub(options, bot) } })
  }

  /** Resolves when the bots have seen so many events. */
  async sees(count: number): Promise<readonly WebhookEvent[]> {
    return eventually(
      () => this.seen,
      ({ length }) => length >= count,
      `The bots have not seen ${count} events.`,
    )
  }
}

/** Asks until the answer is as wanted. A case that would wait for ever ends with `otherwise`. */
export async function eventually<Value>(
  ask: () => Value | Promise<Value>,
  isWanted: (value: Value) => boolean,
  otherwise: string,
): Promise<Value> {
  const endsAt = performance.now() + patienceMs
  for (;;) {
    const value = await ask()
    if (isWanted(value)) return value
    if (performance.now() > endsAt) throw new Error(otherwise)
    await pause(2)
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

import { randomUUID } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { TriggerHub, withData } from '@trigger-hub/core'

/** What an event has beside its payload. */
export interface TestEvent {
  /** Default: none, so that nothing is taken for a repeat. */
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Gives events to the bots of a testing module, without HTTP and without a signature. */
@Injectable()
export class TestingHub {
  readonly #hub: TriggerHub

  constructor(@Inject(TriggerHub) hub: TriggerHub) {
    this.#hub = hub
  }

  /** Accepts an event as if its source had sent it: `await testing.deliver('shop:orders.paid', { id: 1 })`. */
  async deliver(
    what: `${string}:${string}`,
    data: unknown,
    { key, headers = {} }: TestEvent = {},
  ): Promise<void> {
    const [source = '', type = ''] = what.split(':', 2)
    const event = withData({
      id: randomUUID(),
      source,
      type,
      rawType: type,
      time: Date.now(),
      contentType: 'application/json',
      headers,
      rawBody: Buffer.from(JSON.stringify(data)),
      ...(key === undefined ? {} : { key }),
    })
    await this.#hub.accept(event, { verified: true, keySigned: true })
  }

  /** Resolves once no bot has anything left to do, retries included. */
  async settled(): Promise<void> {
    for (;;) {
      const { bots } = await this.#hub.inspect()
      if (bots.every(({ backlog, waiting, running }) => backlog + waiting + running === 0)) return
      await new Promise((resume) => setTimeout(resume, 5))
    }
  }
}

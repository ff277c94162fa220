import type { Driver } from '../ports/driver.ts'
import type { AttemptSurroundings } from '../stages/attempt.ts'
import { compose } from '../stages/compose.ts'
import { enqueue, type Intake } from '../stages/enqueue.ts'
import { verifySignature } from '../stages/verify-signature.ts'
import { WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Next, Reply, Stage, WebhookRequest, WebhookState } from '../words/request.ts'
import { acceptDurably } from './durable.ts'
import type { Endpoint } from './endpoints.ts'
import { ImmediateAck } from './immediate.ts'
import type { HubSettings } from './options.ts'
import { acceptInRequest, type SyncParts } from './sync.ts'

export interface ReceiverSurroundings {
  readonly settings: HubSettings
  readonly endpoints: readonly Endpoint[]
  /** The driver once it is open. */
  readonly open: () => Promise<Driver>
  /** What `ack: 'sync'` runs for a source. */
  readonly syncParts: (source: string, driver: Driver) => SyncParts
  /** For attempts that run in the request. */
  readonly attempts: AttemptSurroundings
}

/** Request in, reply out: verifies, accepts and answers. */
export class Receiver implements Intake {
  readonly #around: ReceiverSurroundings
  readonly #stages = new Map<string, Stage>()
  readonly #verifying = new Map<string, Stage>()
  readonly #immediate: ImmediateAck
  #running = 0
  #stopped = false
  #idle: (() => void) | undefined

  constructor(around: ReceiverSurroundings) {
    const { settings, endpoints, open } = around
    const { limit, bodyTimeoutMs: bodyTimeout, clock } = settings
    this.#around = around
    this.#immediate = new ImmediateAck(settings, async (event, state) =>
      acceptDurably(await open(), event, state, settings),
    )
    for (const { name, path, source } of endpoints) {
      const verify = verifySignature(source, { name, limit, bodyTimeout, clock })
      const methods = ['POST', ...(source.preset.handshakes ?? []).flatMap(({ method = [] }) => method)]
      const receive = compose(
        only(methods),
        (request, next) => this.#unlessStopped(request, next),
        verify,
        only(['POST']),
        enqueue(this),
      )
      this.#verifying.set(name, verify)
      this.#stages.set(path, receive)
    }
  }

  route(path: string): Stage | undefined {
    return this.#stages.get(path.replace(/^\/|\/$/g, ''))
  }

  verifier(source: string): Stage | undefined {
    return this.#verifying.get(source)
  }

  async accept(event: WebhookEvent, state: WebhookState): Promise<Reply> {
    this.refuseWhenStopped()
    this.#running++
    try {
      return await this.#accept(event, state)
    } finally {
      if (--this.#running === 0) this.#idle?.()
    }
  }

  #unlessStopped(_request: WebhookRequest, next: Next): Promise<Reply> {
    this.refuseWhenStopped()
    return next()
  }

  /** @throws WebhookError `ERR_CLOSING` */
  refuseWhenStopped(): void {
    if (this.#stopped) throw new WebhookError('ERR_CLOSING', 'The hub is closing.')
  }

  /** Takes nothing more; resolves when everything that was taken is answered and stored, or reported as lost. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await this.#immediate.flush(deadlineMs)
  }

  async #accept(event: WebhookEvent, state: WebhookState): Promise<Reply> {
    const { settings, open, syncParts, attempts } = this.#around
    const driver = await open()
    const { maxEventBytes } = driver.capabilities
    if (event.rawBody.length > maxEventBytes) {
      throw new WebhookError(
        'ERR_BODY_TOO_LARGE',
        `The ${driver.name} driver takes up to ${maxEventBytes} bytes.`,
      )
    }
    switch (settings.ackOf(event.source)) {
      case 'durable':
        return await acceptDurably(driver, event, state, settings)
      case 'immediate':
        return this.#immediate.accept(event, state)
      case 'sync':
        return acceptInRequest(event, state, {
          ...syncParts(event.source, driver),
          driver,
          settings,
          attempts,
        })
    }
  }
}

/** Lets only these methods pass: some senders validate an endpoint by another one than POST, but none sends events so. */
const only =
  (methods: readonly string[]): Stage =>
  (request, next) => {
    if (methods.includes(request.method)) return next()
    throw new WebhookError('ERR_METHOD_NOT_ALLOWED', 'Webhooks are sent with POST.')
  }

import { SetupError, WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Reply, Stage, WebhookState } from '../words/request.ts'

/** One's own publisher: the ack follows its promise. */
export type Publish = (event: WebhookEvent, state: WebhookState) => unknown

/** What takes verified events and answers for them, such as a hub. */
export interface Intake {
  accept(event: WebhookEvent, state: WebhookState): Promise<Reply>
}

/**
 * Answers 2xx once the verified event is safe: with a hub, when its driver has it durably; with a function, when its
 * promise resolves. A rejection is answered 503 with `retry-after`, so that the sender tries again.
 * @throws WebhookError `ERR_SIGNATURE_MISSING` when no `verifySignature` came before it, `ERR_NOT_ACCEPTED`, and what
 *   the hub throws
 * @throws SetupError `ERR_OPTION_INVALID` for what is neither
 */
export function enqueue(target: Intake | Publish): Stage {
  const accept = typeof target === 'function' ? published(target) : acceptOf(target)
  return async ({ webhook }) => {
    if (!webhook.verified || !webhook.event) {
      throw new WebhookError(
        'ERR_SIGNATURE_MISSING',
        'Nothing has verified this request: put verifySignature(…) before enqueue(…).',
        { notable: true },
      )
    }
    return accept(webhook.event, webhook)
  }
}

function acceptOf(intake: Intake): Intake['accept'] {
  if (typeof (intake as Partial<Intake> | undefined)?.accept === 'function') return intake.accept.bind(intake)
  throw new SetupError(
    'ERR_OPTION_INVALID',
    'enqueue wants a hub, or an async function that publishes the event.',
  )
}

const published =
  (publish: Publish): Intake['accept'] =>
  async (event, state) => {
    try {
      await publish(event, state)
    } catch (cause) {
      throw WebhookError.is(cause)
        ? cause
        : new WebhookError('ERR_NOT_ACCEPTED', 'The function given to enqueue(…) rejected.', { cause })
    }
    return acknowledged(event.id, state)
  }

/** The reply to an event that is safe: as the sender asks for, else with this status and no body. */
export const acknowledged = (
  event: string,
  { ackStatus, ackBody }: Pick<WebhookState, 'ackStatus' | 'ackBody'> = {},
  status = 200,
): Reply => ({
  status: ackStatus ?? status,
  headers: {
    'trigger-hub-event': event,
    ...(ackBody === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
  },
  ...(ackBody === undefined ? {} : { body: ackBody }),
})

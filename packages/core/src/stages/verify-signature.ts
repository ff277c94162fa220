import { randomUUID } from 'node:crypto'
import { payloadOf, withData } from '../pure/payload.ts'
import { describe, eventType, verify, type Source } from '../verify/index.ts'
import { systemClock } from '../words/clock.ts'
import { WebhookError } from '../words/errors.ts'
import type { EventRecord } from '../words/event.ts'
import { knownOptions } from '../words/options.ts'
import type { Stage, WebhookRequest } from '../words/request.ts'
import { compose } from './compose.ts'
import { rawBody, type RawBodyOptions } from './raw-body.ts'

export interface VerifySignatureOptions extends RawBodyOptions {
  /** Name of the source in events. Default: the provider's name. */
  name?: string
}

/**
 * Checks the signature over the exact bytes, then fills `webhook.event`. Reads the body itself if nobody has. Nothing
 * looks at the payload before the signature holds.
 * @throws WebhookError `ERR_SIGNATURE_…` and `ERR_TIMESTAMP_…`, all of them 401, and what `rawBody` throws
 */
export function verifySignature(source: Source, options: VerifySignatureOptions = {}): Stage {
  knownOptions('verifySignature', options, ['name', 'limit', 'bodyTimeout', 'clock'])
  const { name = source.preset.provider, ...bodyOptions } = options
  const clock = options.clock ?? systemClock
  return compose(rawBody(bodyOptions), async (request, next) => {
    const { webhook, method, url, headers } = request
    const received = webhook.rawBody ?? Buffer.alloc(0)
    const signed = source.preset.scheme.signs === 'wire' ? (webhook.wireBody ?? received) : received
    const now = clock.now()
    webhook.source = name
    const checked = verify(source, { method, url, headers, rawBody: signed }, now)
    if (!checked.ok) throw new WebhookError(checked.code, `Source "${name}": ${checked.message}`)
    webhook.verified = true
    identify(request, source, name, received, now)
    return next()
  })
}

/** Fills in the event, its key, and what the accepting stage needs to know of the source. */
function identify(request: WebhookRequest, source: Source, name: string, body: Buffer, now: number): void {
  const { webhook, method, url, headers } = request
  const contentType = headers.get('content-type')
  let parsed: { data: unknown } | undefined
  const payload = (): unknown => (parsed ??= { data: payloadOf(body, contentType) }).data
  const {
    key,
    keySigned,
    rawType,
    headers: kept,
  } = describe(source, { method, url, headers, rawBody: body }, payload)
  const record: EventRecord = {
    id: randomUUID(),
    source: name,
    type: eventType(rawType),
    rawType,
    time: now,
    headers: kept,
    rawBody: body,
    ...(key === undefined ? { marks: ['no-key'] } : { key }),
    ...(contentType === undefined ? {} : { contentType }),
  }
  webhook.event = withData(record, payload)
  webhook.keySigned = keySigned
  if (key !== undefined) webhook.key = key
  if (source.preset.ackStatus !== undefined) webhook.ackStatus = source.preset.ackStatus
}

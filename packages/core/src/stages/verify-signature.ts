import { randomUUID } from 'node:crypto'
import { once } from '../pure/once.ts'
import { sourceName } from '../pure/pattern.ts'
import { payloadOf, withData } from '../pure/payload.ts'
import {
  confirm,
  describe,
  eventType,
  handshake,
  prepare,
  verify,
  type SignedRequest,
  type Source,
} from '../verify/index.ts'
import { sourceIn } from '../verify/source.ts'
import { clockOf } from '../words/clock.ts'
import { WebhookError } from '../words/errors.ts'
import type { EventRecord } from '../words/event.ts'
import { knownOptions, textOf } from '../words/options.ts'
import type { Stage, WebhookRequest, WebhookState } from '../words/request.ts'
import { compose } from './compose.ts'
import { rawBody, type RawBodyOptions } from './raw-body.ts'
import { reasons } from './reasons.ts'

export interface VerifySignatureOptions extends RawBodyOptions {
  /** Name of the source in events and patterns. Default: the provider's name. */
  name?: string
}

/**
 * Checks the signature over the exact bytes, then fills `webhook.event`. Reads the body itself if nobody has. Nothing
 * looks at the payload before the signature holds. A sender's validation of the endpoint is answered here: it is no event.
 * @throws WebhookError `ERR_SIGNATURE_…` and `ERR_TIMESTAMP_…`, all of them 401 unless the sender asks for another
 *   status, and what `rawBody` throws
 * @throws SetupError `ERR_OPTION_UNKNOWN`; `ERR_OPTION_INVALID` for what is no source
 */
export function verifySignature(source: Source, options: VerifySignatureOptions = {}): Stage {
  sourceIn('What verifySignature is to check by', source)
  knownOptions('verifySignature', options, ['name', 'limit', 'bodyTimeout', 'clock'])
  const { name = source.preset.provider, ...bodyOptions } = options
  textOf('name', name, sourceName, 'letters, digits, "_" and "-", as patterns do')
  const clock = clockOf(options.clock)
  const { refusalStatus, bareRefusal = false } = source.preset
  const refused = { bare: bareRefusal, ...(refusalStatus === undefined ? {} : { status: refusalStatus }) }
  const reasonOf = reasons(source)
  return compose(rawBody(bodyOptions), async (request, next) => {
    const { webhook } = request
    const now = clock.now()
    const decoded = signedRequest(request, webhook.rawBody)
    const signed = source.preset.scheme.signs === 'wire' ? signedRequest(request, webhook.wireBody) : decoded
    const payload = once(() => payloadFor(source, decoded))
    webhook.source = name

    const unverified = handshake(source, decoded, payload, { verified: false })
    if (unverified) return unverified
    if (source.wants) await prepare(source, signed, now)
    const checked = verify(source, signed, now)
    if (!checked.ok) {
      const reason = reasonOf(signed, checked, now)
      throw new WebhookError(checked.code, `Source "${name}": ${reason ?? checked.message}`, {
        ...refused,
        notable: reason !== undefined,
      })
    }
    const validation = handshake(source, decoded, payload, { verified: true })
    if (validation) return validation
    if (source.confirms && (await confirmed(source, name, signed))) return { status: 200, headers: {} }
    webhook.verified = true
    identify(webhook, source, name, decoded, payload, now)
    return await next()
  })
}

async function confirmed(source: Source, name: string, request: SignedRequest): Promise<boolean> {
  try {
    return await confirm(source, request)
  } catch (cause) {
    const message = `Source "${name}": its subscription could not be confirmed; the sender asks again.`
    throw new WebhookError('ERR_NOT_ACCEPTED', message, { cause })
  }
}

const signedRequest = (
  { method, url, headers, webhook }: WebhookRequest,
  body = webhook.rawBody,
): SignedRequest => ({
  method,
  url,
  headers,
  rawBody: body ?? Buffer.alloc(0),
})

/** The payload of a request: most senders' is the body, some wrap it. */
export const payloadFor = (source: Source, request: SignedRequest): unknown =>
  source.payload?.(request) ?? payloadOf(request.rawBody, request.headers.get('content-type'))

/** Fills in the event, its key, and what the accepting stage needs to know of the source. */
function identify(
  webhook: WebhookState,
  source: Source,
  name: string,
  request: SignedRequest,
  payload: () => unknown,
  now: number,
): void {
  const { key, keySigned, rawType, headers } = describe(source, request, payload)
  const contentType = request.headers.get('content-type')
  const record: { -readonly [Field in keyof EventRecord]: EventRecord[Field] } = {
    id: randomUUID(),
    source: name,
    type: eventType(rawType),
    rawType,
    time: now,
    headers,
    rawBody: request.rawBody,
  }
  if (key === undefined) record.marks = ['no-key']
  else record.key = key
  if (contentType !== undefined) record.contentType = contentType
  const { ackStatus, ackBody } = source.preset
  webhook.event = withData(record, payload)
  webhook.keySigned = keySigned
  if (key !== undefined) webhook.key = key
  if (ackStatus !== undefined) webhook.ackStatus = ackStatus
  if (ackBody !== undefined) webhook.ackBody = ackBody
}

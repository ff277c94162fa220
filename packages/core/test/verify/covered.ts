import { createHash } from 'node:crypto'
import type { SignedRequest } from '@trigger-hub/core/verify'
import type { Vector } from '../../../../test/vectors/run.ts'
import type { Sample } from './samples.ts'

/** What a sender's signature covers, as values: a request may be accepted only if these are those of the original. */
export function covered({ provider, source, vector }: Sample, request: SignedRequest): string {
  const { scheme } = source.preset
  const hash = createHash('sha256')
  const body = (): string => request.rawBody.toString('latin1')
  const all = (name: string): string => JSON.stringify(request.headers.all(name))
  const own = ownCover[provider]
  if (own) return own(request, vector)
  if (scheme.kind === 'token') {
    const { token } = scheme
    return 'header' in token ? all(token.header) : 'query' in token ? request.url : body()
  }
  if (scheme.kind === 'jwt') return `${scheme.bodyHash ? body() : ''}`
  if (scheme.kind === 'own') return ''
  const parts = [scheme.signed.includes('ody') ? body() : '']
  if (scheme.id) parts.push(all(scheme.id))
  if (scheme.timestamp?.header) parts.push(all(scheme.timestamp.header))
  if (scheme.signed.includes('{method}')) parts.push(request.method)
  if (scheme.signed.includes('{url}')) parts.push(request.url)
  return hash.update(JSON.stringify(parts)).digest('hex')
}

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((of, name) => (of as Record<string, unknown> | undefined)?.[name], value)

const parsed = (request: SignedRequest): unknown => {
  try {
    return JSON.parse(request.rawBody.toString())
  } catch {
    return undefined
  }
}

/** Names and values with nothing between them, which is how they are signed: a boundary that moves is not noticed. */
const joined = (request: SignedRequest): string =>
  [...new URLSearchParams(request.rawBody.toString())]
    .map(([name, value]) => name + value)
    .sort()
    .join('')

/** Senders that sign values rather than bytes, or that may be read in two ways. */
const ownCover: Record<string, (request: SignedRequest, vector: Vector) => string> = {
  adyen: (request) => {
    const items = at(parsed(request), 'notificationItems') as unknown[]
    const fields = [
      'pspReference',
      'merchantAccountCode',
      'merchantReference',
      'amount',
      'eventCode',
      'success',
    ]
    return JSON.stringify(
      items.map((item) => fields.map((name) => at(item, 'NotificationRequestItem', name))),
    )
  },
  'aws-sns': (request) => {
    const body = parsed(request)
    return JSON.stringify(
      ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'].map((name) => at(body, name)),
    )
  },
  mailgun: (request) => {
    const type = request.headers.get('content-type') ?? ''
    const form = new URLSearchParams(request.rawBody.toString())
    const of = /form/i.test(type) ? Object.fromEntries(form) : at(parsed(request), 'signature')
    return JSON.stringify([at(of, 'timestamp'), at(of, 'token')])
  },
  'microsoft-graph': (request) => {
    const items = at(parsed(request), 'value') as unknown[]
    return JSON.stringify([...new Set(items.map((item) => at(item, 'clientState')))])
  },
  twilio: (request) => {
    const fields = [...new URLSearchParams(request.rawBody.toString())].map(([a, b]) => a + b)
    const form = /form-urlencoded/i.test(request.headers.get('content-type') ?? '')
    return JSON.stringify([
      request.url.replace(/^(https?:\/\/[^/?#:]*):\d+/i, '$1'),
      form ? [...new Set(fields)].sort().join('') : request.rawBody.toString('latin1'),
    ])
  },
  'atlassian-connect': (request) => request.method.toUpperCase(),
  braintree: (request) => {
    const fields = new URLSearchParams(request.rawBody.toString())
    return (fields.get('bt_payload') ?? '').replace(/\n$/, '')
  },
  'dropbox-sign': (request) => {
    const body = request.rawBody.toString()
    const text = new URLSearchParams(body).get('json') ?? body
    const value = (name: string) => new RegExp(`"${name}"\\s*:\\s*"([^"]*)"`).exec(text)?.[1]
    return JSON.stringify([value('event_time'), value('event_type')])
  },
  truelayer: (request) =>
    JSON.stringify([
      request.method.toUpperCase(),
      request.url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/\/?(?:[?#].*)?$/s, ''),
      request.rawBody.toString('latin1'),
    ]),
  vonage: (request) =>
    request.rawBody.toString('latin1') + (request.rawBody.length === 0 ? request.url.split('?')[1] : ''),
  messagebird: (request) => request.url + request.rawBody.toString('latin1'),
  mandrill: (request) => request.url + joined(request),
  plivo: (request) => request.url.replace(/[?#].*/s, '') + joined(request),
  qstash: (request) => request.url + request.rawBody.toString('latin1'),
  easypost: (request) =>
    request.rawBody.toString('latin1').replace(/("weight":\s*\d+)(?:\.0)?(?=\s*[,}])/g, '$1'),
  box: (request) =>
    JSON.stringify([request.rawBody.toString('latin1'), request.headers.all('box-delivery-timestamp')]),
  rfc9421: (request) => {
    const input = request.headers.get('signature-input') ?? ''
    const parts = [
      input.trim(),
      input.includes('@method') ? request.method : '',
      input.includes('content-digest') ? request.rawBody.toString('latin1') : '',
      // white space around a field's value is not signed, RFC 9421 §2.1
      input.includes('"date"') ? request.headers.get('date')?.trim() : '',
    ]
    return JSON.stringify(parts)
  },
  paypal: (request) =>
    JSON.stringify([request.rawBody.toString('latin1'), request.headers.all('paypal-transmission-id')]),
}

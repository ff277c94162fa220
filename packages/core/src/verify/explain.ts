import { escapings, inflated, isWritable, urls, writings } from './accidents.ts'
import { json } from './payload.ts'
import type { Scheme } from './preset.ts'
import type { SignedRequest, Source, VerificationCode } from './source.ts'
import { verify } from './verify.ts'

/** Why a verification fails. A cause is API: it is never renamed. */
export type Cause =
  | 'header-missing'
  | 'header-repeated'
  | 'header-of-another-sender'
  | 'signature-empty'
  | 'signature-truncated'
  | 'signature-other-encoding'
  | 'signature-prefix'
  | 'signature-malformed'
  | 'token-algorithm'
  | 'timestamp-missing'
  | 'timestamp-malformed'
  | 'clock-behind'
  | 'clock-ahead'
  | 'body-reserialised'
  | 'body-compressed'
  | 'body-newline'
  | 'body-mark'
  | 'body-escapes'
  | 'body-empty'
  | 'url-changed'
  | 'certificate-unknown'
  | 'mismatch'

export interface Explanation {
  readonly cause: Cause
  readonly code: VerificationCode
  /** One sentence: what is wrong, and what to change. Shows no secret, no signature and no payload. */
  readonly message: string
  /** For a wrong clock, how far the timestamp is from it, milliseconds; negative when it is ahead. */
  readonly skewMs?: number
}

/**
 * Why a request is refused, for logs and people. Undefined when it is accepted. It looks for one change to the request
 * that makes the signature hold; what cannot be told apart (another secret, another environment, a forgery) is `mismatch`.
 * Costs up to some twenty verifications, so it is for tools and for a sample of refusals, not for every request.
 */
export function explain(source: Source, request: SignedRequest, nowMs: number): Explanation | undefined {
  const checked = verify(source, request, nowMs)
  if (checked.ok) return undefined
  const { code } = checked
  const because = (cause: Cause, message: string): Explanation => ({ cause, code, message })
  switch (code) {
    case 'ERR_SIGNATURE_MISSING':
      return missing(source, request, because)
    case 'ERR_SIGNATURE_MALFORMED':
      return malformed(source, request, checked.message, because)
    case 'ERR_TIMESTAMP_MISSING':
      return because('timestamp-missing', checked.message)
    case 'ERR_TIMESTAMP_MALFORMED':
      return because('timestamp-malformed', checked.message)
    case 'ERR_TIMESTAMP_STALE':
    case 'ERR_TIMESTAMP_FUTURE': {
      const skewMs = skew(checked.message, code)
      return {
        ...because(
          code === 'ERR_TIMESTAMP_STALE' ? 'clock-behind' : 'clock-ahead',
          `${checked.message} Compare this machine's clock with the sender's, and look for a queue or a replay before it.`,
        ),
        ...(skewMs === undefined ? {} : { skewMs }),
      }
    }
    case 'ERR_SIGNATURE_MISMATCH':
      return mismatch(source, request, nowMs, checked.message, because)
    default:
      return because('mismatch', checked.message)
  }
}

type Because = (cause: Cause, message: string) => Explanation

/** Signature headers of many senders, to say whose a request looks like. */
const knownHeaders: Readonly<Record<string, string>> = {
  'x-hub-signature-256': 'GitHub or Meta',
  'x-hub-signature': 'Bitbucket, Jira or Intercom',
  'stripe-signature': 'Stripe',
  'webhook-signature': 'Standard Webhooks',
  'svix-signature': 'Svix',
  'x-shopify-hmac-sha256': 'Shopify',
  'x-slack-signature': 'Slack',
  'x-signature': 'a plain HMAC',
  'x-twilio-signature': 'Twilio',
  'x-gitlab-token': 'GitLab',
  'paypal-transmission-sig': 'PayPal',
  'x-amz-sns-message-type': 'Amazon SNS',
  'linear-signature': 'Linear',
  'x-zm-signature': 'Zoom',
  'paddle-signature': 'Paddle',
  signature: 'HTTP Message Signatures',
}

function headerOf(scheme: Scheme): string | undefined {
  if ('signature' in scheme) return scheme.signature.header
  if ('header' in scheme) return scheme.header
  return scheme.kind === 'token' && 'header' in scheme.token ? scheme.token.header : undefined
}

function missing(source: Source, request: SignedRequest, because: Because): Explanation {
  const expected = headerOf(source.preset.scheme)
  const other = Object.keys(knownHeaders).find(
    (name) => name !== expected && request.headers.get(name) !== undefined && name !== 'signature',
  )
  const { title } = source.preset
  if (other !== undefined) {
    return because(
      'header-of-another-sender',
      `${title} signs in "${expected ?? 'the body'}", and this request has "${other}", as ${knownHeaders[other]} sends it: ` +
        'check which source the URL belongs to.',
    )
  }
  return because(
    'header-missing',
    expected === undefined
      ? `The signature that ${title} puts into the request is not there: it is not from the sender (${title}), or signing is not turned on.`
      : `The header "${expected}" is missing: the request is not from the sender (${title}), signing is not turned on there, or a proxy drops it.`,
  )
}

function malformed(source: Source, request: SignedRequest, said: string, because: Because): Explanation {
  const { scheme } = source.preset
  const name = headerOf(scheme)
  const values = name === undefined ? [] : request.headers.all(name.replace('*', '1'))
  const [value = ''] = values
  if (values.length > 1 || /came (?:more than once|\d+ times)/.test(said)) {
    return because(
      'header-repeated',
      `${said} A proxy adds it again, or somebody tries to smuggle a second one.`,
    )
  }
  if (name === undefined) return because('signature-malformed', said)
  if (scheme.kind === 'jwt') {
    return said.includes('not signed with')
      ? because('token-algorithm', `${said} A token that asks for another algorithm is a known attack.`)
      : because('signature-malformed', said)
  }
  if (!('signature' in scheme)) return because('signature-malformed', said)
  const { prefix = '', encoding, separator } = scheme.signature
  const entry =
    separator === undefined
      ? value
      : (value.split(separator).find((one) => one.trim().startsWith(prefix)) ?? '')
  const bare = entry.trim().slice(prefix.length)
  if (value === '' || (entry !== '' && bare === '')) {
    return because('signature-empty', `The header "${name}" holds no signature.`)
  }
  if (!entry.trim().startsWith(prefix) || entry === '') {
    return because(
      'signature-prefix',
      `The signature in "${name}" does not begin with "${prefix}": another version or sender.`,
    )
  }
  const byteLength = lengths[scheme.algorithm]
  const isHex = /^[0-9a-f]+$/i.test(bare)
  if (byteLength === undefined) return because('signature-malformed', said)
  if (encoding !== 'hex' && isHex && bare.length === byteLength * 2)
    return otherEncoding(name, 'hex', encoding, because)
  if (encoding === 'hex' && isHex && bare !== bare.toLowerCase() && bare.length === byteLength * 2) {
    return otherEncoding(name, 'upper-case hex', 'lower-case hex', because)
  }
  const bytes = Buffer.from(bare, 'base64')
  if (bytes.length === byteLength && /^[\w+/=-]+$/.test(bare)) {
    return otherEncoding(name, 'another spelling of base64', encoding, because)
  }
  const partial = encoding === 'hex' ? /^[0-9a-f]+$/.test(bare) : /^[\w+/=-]+$/.test(bare)
  const full = encoding === 'hex' ? byteLength * 2 : Math.ceil((byteLength * 4) / 3)
  return partial && bare.length < full
    ? because(
        'signature-truncated',
        `The signature in "${name}" is ${bare.length} characters long and should have ${full}: it was cut off.`,
      )
    : because('signature-malformed', said)
}

const lengths: Readonly<Record<string, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  ed25519: 64,
}

const otherEncoding = (name: string, given: string, expected: string, because: Because): Explanation =>
  because(
    'signature-other-encoding',
    `The signature in "${name}" is written in ${given} and not in ${expected}.`,
  )

/** "… 360 s ago …" or "… 360 s ahead …" of a refusal, in milliseconds. */
function skew(message: string, code: VerificationCode): number | undefined {
  const seconds = /(\d{1,12}) s (?:ago|ahead)/.exec(message)?.[1]
  if (seconds === undefined) return undefined
  return Number(seconds) * (code === 'ERR_TIMESTAMP_STALE' ? 1_000 : -1_000)
}

interface Trial {
  readonly cause: Cause
  readonly message: string
  readonly request: SignedRequest | undefined
}

function mismatch(
  source: Source,
  request: SignedRequest,
  nowMs: number,
  said: string,
  because: Because,
): Explanation {
  if (/certificate|key is the one|names no configured key/i.test(said))
    return because('certificate-unknown', said)
  if (request.rawBody.length === 0 && !['0', undefined].includes(request.headers.get('content-length'))) {
    return because(
      'body-empty',
      'The body is empty although it came with a length: a parser has read it before.',
    )
  }
  for (const { cause, message, request: tried } of trials(request)) {
    if (tried && held(source, tried, nowMs)) return because(cause, message)
  }
  return because(
    'mismatch',
    `${said} Compare it with the one that the sender (${source.preset.title}) has for this very webhook, in this environment (test ` +
      'and live differ), with its prefix; if it is right, something between the sender and here changes the body, or the request is forged.',
  )
}

/** A stale request with a good signature counts: the change that made it good is the answer. */
function held(source: Source, request: SignedRequest, nowMs: number): boolean {
  const checked = verify(source, request, nowMs)
  return checked.ok || checked.code === 'ERR_TIMESTAMP_STALE' || checked.code === 'ERR_TIMESTAMP_FUTURE'
}

/** Changes that are made by accident on the way, undone one by one. */
function* trials(request: SignedRequest): Generator<Trial> {
  const { rawBody } = request
  const body = (cause: Cause, message: string, bytes: Buffer | undefined): Trial => ({
    cause,
    message,
    request: bytes && !bytes.equals(rawBody) ? { ...request, rawBody: bytes } : undefined,
  })
  const text = rawBody.toString('utf8')
  const newline =
    'The body gained or lost white space at its end on the way: read the exact bytes, and look for an editor or a proxy.'
  for (const end of ['\n', '\r\n', ''])
    yield body('body-newline', newline, Buffer.from(text.replace(/[\r\n]{0,4}$/, '') + end))
  yield body('body-newline', newline, Buffer.from(text.replace(/\r\n/g, '\n')))
  yield body('body-newline', newline, Buffer.from(text.replace(/\r?\n/g, '\r\n')))
  const mark = 'The body gained or lost a byte order mark on the way.'
  yield body(
    'body-mark',
    mark,
    text.startsWith('\ufeff') ? Buffer.from(text.slice(1)) : Buffer.from(`\ufeff${text}`),
  )
  yield body(
    'body-compressed',
    'The signature is over the body before it was compressed: inflate it first.',
    inflated(rawBody),
  )
  const parsed = isWritable(text) ? json(rawBody) : undefined
  if (parsed !== undefined) {
    const escapes = 'Characters of the body were escaped, or escapes were written out, before it came here.'
    for (const written of escapings(text)) yield body('body-escapes', escapes, Buffer.from(written))
    const reserialised =
      'The body was parsed and written anew before it came here: verify the exact bytes, before any body parser.'
    for (const written of writings(parsed))
      yield body('body-reserialised', reserialised, Buffer.from(written))
    for (const written of writings(parsed).flatMap(escapings))
      yield body('body-escapes', escapes, Buffer.from(written))
  }
  const url =
    'The signature is over another URL: set publicUrl to the one that the sender calls, or let the app trust its proxy.'
  for (const changed of urls(request)) {
    yield { cause: 'url-changed', message: url, request: { ...request, url: changed } }
  }
}

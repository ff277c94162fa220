import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'
import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Encoding, HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'
import { template } from '../verify/template.ts'

/** Names of headers are written in any case. */
export interface HmacOptions extends TimedSecretOptions {
  /** Header of the signature. Default `'X-Signature'`. */
  readonly header?: string
  /** Default `'sha256'`. */
  readonly algorithm?: HashScheme['algorithm']
  /** Default `'hex'`. */
  readonly encoding?: Encoding
  /** What stands before the signature, such as `'sha256='`. Default: nothing. */
  readonly prefix?: string
  /** How the secret becomes the key. Default `'utf8'`: its text is the key. */
  readonly secretEncoding?: 'utf8' | 'hex' | 'base64'
  /** Header of the event's id, `{id}` in `signed`. Default `'X-Idempotency-Key'`. */
  readonly key?: string
  /** Header of the event's type. Default `'X-Event-Type'`. */
  readonly type?: string
  /** Header of the Unix time in seconds, `{timestamp}` in `signed`. Default: none is checked. */
  readonly timestamp?: string
  /** The signed bytes. Default `'{body}'`, or `'{timestamp}.{body}'` with a timestamp. */
  readonly signed?: string
}

/**
 * Any sender that signs with a keyed hash. With nothing but a secret: HMAC-SHA256 over the raw body, hex, in
 * `X-Signature`; the key is in `X-Idempotency-Key`, unsigned.
 * @throws SetupError for a missing secret, an unknown option or one that cannot be
 */
export function hmac<Events = Record<string, unknown>>(options: HmacOptions): Source<Events> {
  knownOptions('hmac', options, known)
  const {
    secret,
    tolerance,
    algorithm = 'sha256',
    encoding = 'hex',
    prefix,
    secretEncoding = 'utf8',
  } = options
  oneOf('algorithm', algorithm, ['sha1', 'sha256', 'sha384', 'sha512'])
  oneOf('encoding', encoding, ['hex', 'base64', 'base64url'])
  oneOf('secretEncoding', secretEncoding, ['utf8', 'hex', 'base64'])
  if (tolerance !== undefined && options.timestamp === undefined) {
    throw invalid('tolerance', tolerance, 'it beside "timestamp", which names the header with the time')
  }
  const key = (options.key ?? 'x-idempotency-key').toLowerCase()
  const type = (options.type ?? 'x-event-type').toLowerCase()
  const timestamp = options.timestamp?.toLowerCase()
  const signed = signedOf(options)
  const keySigned = signed.includes('{id}')
  const preset: HashPreset = {
    provider: 'hmac',
    title: 'HMAC',
    docs: 'https://www.rfc-editor.org/rfc/rfc2104',
    scheme: {
      kind: 'hmac',
      algorithm,
      signature: {
        header: (options.header ?? 'x-signature').toLowerCase(),
        encoding,
        ...(prefix === undefined ? {} : { prefix }),
      },
      signed,
      ...(keySigned ? { id: key } : {}),
      ...(timestamp === undefined
        ? {}
        : { timestamp: { header: timestamp, unit: 's', toleranceMs: 300_000 } }),
      secretEncoding,
    },
    key: keySigned ? { signed: 'id' } : { header: key },
    keySigned,
    type: { header: type },
    headers: [key, type],
  }
  return hashSource(preset, { secret, ...(tolerance === undefined ? {} : { tolerance }) })
}

const known = [
  'secret',
  'tolerance',
  'header',
  'algorithm',
  'encoding',
  'prefix',
  'secretEncoding',
  'key',
  'type',
  'timestamp',
  'signed',
]

function signedOf({ signed, timestamp }: HmacOptions): string {
  const text = signed ?? (timestamp === undefined ? '{body}' : '{timestamp}.{body}')
  if (!text.includes('{body}')) throw invalid('signed', text, 'a template with {body} in it')
  if (text.includes('{timestamp}') !== (timestamp !== undefined)) {
    throw invalid(
      'signed',
      text,
      'with {timestamp} in it if, and only if, option "timestamp" names its header',
    )
  }
  try {
    template(text)
  } catch {
    throw invalid('signed', text, 'the parts {body}, {timestamp}, {id}, {method}, {url} and {header:name}')
  }
  return text
}

function oneOf(option: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw invalid(option, value, `one of ${allowed.join(', ')}`)
}

const invalid = (option: string, value: string | number, expected: string): SetupError =>
  new SetupError(
    'ERR_OPTION_INVALID',
    `Option "hmac.${option}" is ${JSON.stringify(value)}: use ${expected}.`,
  )

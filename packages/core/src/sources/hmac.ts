import type { SetupError } from '../words/errors.ts'
import { headerNamed } from '../words/headers.ts'
import { invalidOption, knownOptions, oneOf, textOf } from '../words/options.ts'
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
  const { secret, tolerance, algorithm = 'sha256', encoding = 'hex', secretEncoding = 'utf8' } = options
  const { header = 'X-Signature', prefix, timestamp: timeHeader } = options
  const { key: keyHeader = 'X-Idempotency-Key', type: typeHeader = 'X-Event-Type' } = options
  oneOf('hmac.algorithm', algorithm, ['sha1', 'sha256', 'sha384', 'sha512'])
  oneOf('hmac.encoding', encoding, ['hex', 'base64', 'base64url'])
  oneOf('hmac.secretEncoding', secretEncoding, ['utf8', 'hex', 'base64'])
  if (tolerance !== undefined && options.timestamp === undefined) {
    throw invalid('tolerance', tolerance, 'it beside "timestamp", which names the header with the time')
  }
  if (prefix !== undefined) textOf('hmac.prefix', prefix, /^/)
  const key = headerNamed('hmac.key', keyHeader)
  const type = headerNamed('hmac.type', typeHeader)
  const timestamp = timeHeader === undefined ? undefined : headerNamed('hmac.timestamp', timeHeader)
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
        header: headerNamed('hmac.header', header),
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

function signedOf({ timestamp, ...options }: HmacOptions): string {
  const { signed = timestamp === undefined ? '{body}' : '{timestamp}.{body}' } = options
  const text = textOf('hmac.signed', signed, /\{body\}/, 'a template with {body} in it')
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

const invalid = (option: keyof HmacOptions, value: unknown, use: string): SetupError =>
  invalidOption(`hmac.${option}`, value, use)

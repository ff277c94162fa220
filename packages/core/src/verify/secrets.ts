import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { decoded } from './encodings.ts'
import type { HashScheme, Preset } from './preset.ts'

/**
 * One secret, or several while they are rotated: any of them may match. What `process.env` gives fits as it is; one that
 * is not there is refused when the source is made.
 */
export type Secrets = string | undefined | readonly (string | undefined)[]

const placeholder =
  /^(?:undefined|null|none|todo|change[-_ ]?me|replace[-_ ]?me|<.{0,100}>|x{3,100}|\*{1,100}|\.{3})$/i

/**
 * The texts of one or several credentials, each checked for the usual mistakes.
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`; names the option, never shows the value
 */
export function credentials(preset: Preset, value: unknown, option = 'secret'): string[] {
  const { provider, notSecrets = {} } = preset
  const given: unknown[] = Array.isArray(value) ? value : [value]
  if (given.length === 0) throw missing(provider, option)
  return given.map((one) => {
    if (one === undefined || one === null || (typeof one === 'string' && one.trim() === '')) {
      throw missing(provider, option)
    }
    if (typeof one !== 'string') throw wrongKind(provider, option, `it is a ${typeof one}, not text`)
    if (placeholder.test(one.trim())) throw missing(provider, option, 'is a placeholder')
    // the file of a PEM ends with a line break
    if (one !== one.trim() && !one.startsWith('-----BEGIN'))
      throw wrongKind(provider, option, 'white space stands around it: trim it')
    for (const [prefix, what] of Object.entries(notSecrets)) {
      if (one.startsWith(prefix)) throw wrongKind(provider, option, what)
    }
    return one
  })
}

const missing = (provider: string, option: string, how = 'is missing or empty'): SetupError =>
  new SetupError(
    'ERR_SECRET_MISSING',
    `The ${option} of source "${provider}" ${how}: set it to the value that the provider shows for this webhook, or look whether its environment variable is set.`,
  )

const wrongKind = (provider: string, option: string, what: string): SetupError =>
  new SetupError('ERR_SECRET_WRONG_KIND', `The ${option} of source "${provider}" is not usable: ${what}.`)

/**
 * Keys for a keyed hash, made once: Node.js 24 takes four times as long with bytes.
 * @throws SetupError as `credentials`
 */
export function secretKeys(
  preset: Preset,
  scheme: Pick<HashScheme, 'secretEncoding' | 'secretPrefix' | 'bareSecret'>,
  value: unknown,
): KeyObject[] {
  const { secretEncoding = 'utf8', secretPrefix = '', bareSecret = secretEncoding } = scheme
  return credentials(preset, value).map((secret) => {
    const prefixed = secret.startsWith(secretPrefix)
    const encoding = prefixed ? secretEncoding : bareSecret
    const text = prefixed ? secret.slice(secretPrefix.length) : secret
    const bytes = encoding === 'utf8' ? Buffer.from(secret) : decodedSecret(text, encoding)
    if (!bytes?.length) {
      throw wrongKind(
        preset.provider,
        'secret',
        `it is not ${secretEncoding}; copy it whole, with any prefix`,
      )
    }
    return createSecretKey(bytes)
  })
}

// keys are set by hand, and some are random text that is decoded: upper-case hex, base64 without its padding, with the
// alphabet of URLs or with bits left over is the same key
function decodedSecret(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  if (encoding === 'hex') return decoded(text.toLowerCase(), 'hex')
  return /^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

// SubjectPublicKeyInfo of a raw Ed25519 key, RFC 8410 §4
const ed25519Header = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Public keys in the forms in which providers hand them out: PEM, base64 of the DER, raw Ed25519 in hex or base64, with
 * or without `whpk_`.
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export const publicKeys = (preset: Preset, value: unknown, type: KeyType): KeyObject[] =>
  credentials(preset, value, 'publicKey').map((text) => publicKey(preset, text, type))

export type KeyType = 'ed25519' | 'ec' | 'rsa'

/** One public key, as `publicKeys`. */
export function publicKey(preset: Preset, value: unknown, type: KeyType): KeyObject {
  const [text = ''] = credentials(preset, value, 'publicKey')
  try {
    const key = parsed(text)
    if (key.asymmetricKeyType === type) return key
  } catch {
    // said below, without what was given
  }
  throw wrongKind(preset.provider, 'publicKey', `it is not a public key of type ${type}`)
}

function parsed(text: string): KeyObject {
  // in an environment variable, the lines of a PEM may be joined by a backslash and an n
  if (text.startsWith('-----BEGIN')) return createPublicKey(text.replace(/\\n/g, '\n'))
  const bare = text.startsWith('whpk_') ? text.slice(5) : text
  const bytes = decodedSecret(bare, /^[0-9a-f]{64}$/i.test(bare) ? 'hex' : 'base64') ?? Buffer.of()
  const der = bytes.length === 32 ? Buffer.concat([ed25519Header, bytes]) : bytes
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/**
 * A setting that has no default.
 * @throws SetupError `ERR_OPTION_INVALID`
 */
export function required(provider: string, option: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new SetupError('ERR_OPTION_INVALID', `Option "${provider}.${option}" is missing: it has no default.`)
}

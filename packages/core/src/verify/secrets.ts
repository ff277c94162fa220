import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { decoded } from './encodings.ts'
import type { HmacScheme, Preset } from './preset.ts'

/** One secret, or several while they are rotated: any of them may match. */
export type Secrets = string | readonly string[]

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
    if (one !== one.trim()) throw wrongKind(provider, option, 'white space stands around it: trim it')
    for (const [prefix, what] of Object.entries(notSecrets)) {
      if (one.startsWith(prefix)) throw wrongKind(provider, option, what)
    }
    return one
  })
}

const missing = (provider: string, option: string, how = 'is missing or empty'): SetupError =>
  new SetupError(
    'ERR_SECRET_MISSING',
    `The ${option} of source "${provider}" ${how}: set it to the value that the provider shows for this webhook.`,
  )

const wrongKind = (provider: string, option: string, what: string): SetupError =>
  new SetupError('ERR_SECRET_WRONG_KIND', `The ${option} of source "${provider}" is not usable: ${what}.`)

/**
 * Keys for a keyed hash, made once: Node.js 24 takes four times as long with bytes.
 * @throws SetupError as `credentials`
 */
export function secretKeys(preset: Preset, scheme: HmacScheme, value: unknown): KeyObject[] {
  const { secretEncoding = 'utf8', secretPrefix = '' } = scheme
  return credentials(preset, value).map((secret) => {
    const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret
    const bytes = secretEncoding === 'utf8' ? Buffer.from(secret) : decodedSecret(text, secretEncoding)
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

function decodedSecret(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  // people set secrets by hand: upper-case hex and base64 without its padding are the same key
  if (encoding === 'hex') return decoded(text.toLowerCase(), 'hex')
  return decoded(text.padEnd(Math.ceil(text.length / 4) * 4, '='), 'base64')
}

// SubjectPublicKeyInfo of a raw Ed25519 key, RFC 8410 §4
const ed25519Header = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Public keys in the forms in which providers hand them out: PEM, base64 of the DER, raw Ed25519 in hex or base64, with
 * or without `whpk_`.
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export function publicKeys(preset: Preset, value: unknown, type: 'ed25519' | 'ec' | 'rsa'): KeyObject[] {
  return credentials(preset, value, 'publicKey').map((text) => {
    let key: KeyObject | undefined
    try {
      key = publicKey(text)
    } catch {
      key = undefined
    }
    if (key?.asymmetricKeyType === type) return key
    throw wrongKind(preset.provider, 'publicKey', `it is not a public key of type ${type}`)
  })
}

function publicKey(text: string): KeyObject {
  if (text.startsWith('-----BEGIN')) return createPublicKey(text)
  const bare = text.startsWith('whpk_') ? text.slice(5) : text
  const bytes = /^[0-9a-f]{64}$/i.test(bare)
    ? Buffer.from(bare, 'hex')
    : (decoded(bare, 'base64') ?? Buffer.of())
  const der = bytes.length === 32 ? Buffer.concat([ed25519Header, bytes]) : bytes
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

import { oneOf, optionsOf } from '../words/options.ts'
import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'

const scheme = (algorithm: 'sha1' | 'sha256'): HashScheme => ({
  kind: 'hash',
  algorithm,
  signature: { header: 'x-cld-signature', encoding: 'hex' },
  signed: '{body}{timestamp}{secret}',
  timestamp: { header: 'x-cld-timestamp', unit: 's', toleranceMs: 7_200_000 },
})

export const cloudinaryPreset: HashPreset = {
  provider: 'cloudinary',
  title: 'Cloudinary',
  docs: 'https://cloudinary.com/documentation/notification_signatures',
  scheme: scheme('sha1'),
  key: [{ body: 'request_id' }, { body: 'notification_type' }],
  keySigned: true,
  type: { body: 'notification_type' },
  retries: 'up to 3 times, minutes apart',
  pitfalls: [
    'The secret is appended and hashed with the rest: a plain hash, not an HMAC.',
    'Accounts may be switched to SHA-256: set algorithm then.',
    'Cloudinary allows 2 hours between signing and checking.',
  ],
}

export interface CloudinaryOptions extends TimedSecretOptions {
  /** The account's signature algorithm. Default `'sha1'`. */
  readonly algorithm?: 'sha1' | 'sha256'
}

/** Notifications of Cloudinary. The secret is the API secret. */
export function cloudinary<Events = Record<string, unknown>>(given: CloudinaryOptions): Source<Events> {
  const { algorithm = 'sha1', ...options } = optionsOf('cloudinary', given)
  oneOf('cloudinary.algorithm', algorithm, ['sha1', 'sha256'])
  return hashSource({ ...cloudinaryPreset, scheme: scheme(algorithm) }, options)
}

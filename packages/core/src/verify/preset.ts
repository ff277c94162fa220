/**
 * Where a sender writes something: a header, a field of the payload (dotted path), the id that the scheme signs, or a
 * word that is always the same.
 */
export type Place =
  | { readonly header: string }
  | { readonly body: string }
  | { readonly signed: 'id' }
  | { readonly text: string }

export type Encoding = 'hex' | 'base64' | 'base64url'

/** How a sender writes the signature, or several of them, into a header. */
export interface SignaturePlace {
  /** Lower case. */
  readonly header: string
  readonly encoding: Encoding
  /** What stands before each signature, such as `sha256=`. With a separator: which entries are signatures. */
  readonly prefix?: string
  /** What stands between the entries of a list; absent, the header holds one signature and nothing else. */
  readonly separator?: ',' | ';' | ' '
}

/** Where the sender's clock is, and how far it may be from ours, either way. */
export interface TimestampPlace {
  /** Lower case. With `entry`, the header of the signature. */
  readonly header?: string
  /** The entry of the signature's list that holds it, such as `t=`. */
  readonly entry?: string
  /** A dotted path into the payload, which is read once the signature holds. */
  readonly body?: string
  /** Unix seconds, Unix milliseconds, or RFC 3339. */
  readonly unit: 's' | 'ms' | 'rfc3339'
  readonly toleranceMs: number
}

interface Signed {
  readonly signature: SignaturePlace
  /**
   * The signed bytes: text with `{body}`, `{timestamp}`, `{id}`, `{method}`, `{url}`, `{header:name}` or a part of the
   * provider's own in it. `v0:{timestamp}:{body}` is Slack's.
   */
  readonly signed: string
  readonly timestamp?: TimestampPlace
  /** The header of `{id}`, lower case. */
  readonly id?: string
  /** For a body with a content-encoding: whether the bytes before or after it are signed. Default `'decoded'`. */
  readonly signs?: 'decoded' | 'wire'
}

/** A keyed hash over a template. */
export interface HmacScheme extends Signed {
  readonly kind: 'hmac'
  readonly algorithm: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** How the secret, as the provider shows it, becomes the key. Default `'utf8'`: its text is the key. */
  readonly secretEncoding?: 'utf8' | 'hex' | 'base64'
  /** Shown in front of an encoded secret and not part of it, such as `whsec_`. */
  readonly secretPrefix?: string
  /** The scheme of a request that has no signature header of this one. */
  readonly otherwise?: HmacScheme
}

/** A signature with the sender's private key over a template. */
export interface AsymmetricScheme extends Signed {
  readonly kind: 'asymmetric'
  readonly algorithm: 'ed25519'
}

export type Scheme = HmacScheme | AsymmetricScheme

/** The scheme that a request is judged by. */
export const schemeOf = (scheme: Scheme, has: (header: string) => boolean): Scheme =>
  'otherwise' in scheme && scheme.otherwise && !has(scheme.signature.header) ? scheme.otherwise : scheme

/** All that is known of a provider: plain data. */
export interface Preset {
  /** As in logs and file names: `standard-webhooks`. */
  readonly provider: string
  /** As the provider writes itself. */
  readonly title: string
  /** The provider's own page on its signatures. */
  readonly docs: string
  readonly scheme: Scheme
  /** What tells two events apart. Several places: all of them together. */
  readonly key?: Place | readonly Place[]
  /** Whether the signature covers the key. */
  readonly keySigned: boolean
  /** The kind of event. Several places: those that are there, joined with a dot. */
  readonly type?: Place | readonly Place[]
  /** Headers worth keeping with the event, lower case; never one that holds a signature or a credential. */
  readonly headers?: readonly string[]
  /** How soon the sender wants an answer. */
  readonly answerWithinMs?: number
  /** The 2xx status that the sender asks for, if not just any. */
  readonly ackStatus?: number
  /** Prefixes of other credentials of this provider, with what they are: pasted as the secret, they are refused. */
  readonly notSecrets?: Readonly<Record<string, string>>
}

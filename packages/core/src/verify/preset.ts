/**
 * Where a sender writes something: a header, a field of the payload (dotted path, `*` for every item of a list), a
 * parameter of the query, the id that the scheme signs, or a word that is always the same.
 */
export type Place =
  | { readonly header: string }
  | { readonly body: string }
  | { readonly query: string }
  | { readonly signed: 'id' }
  | { readonly text: string }

/** How a header spells bytes. Decoding is strict: nothing may be left over. */
export type Encoding = 'hex' | 'base64' | 'base64url'

/** How a sender writes the signature, or several of them, into a header. */
export interface SignaturePlace {
  /** Lower case. One that ends in `*` comes numbered from 1: `x-docusign-signature-1`, `-2`, … */
  readonly header: string
  readonly encoding: Encoding
  /** What stands before each signature, such as `sha256=`. With a separator: which entries are signatures. */
  readonly prefix?: string
  /** What stands between the entries of a list; absent, the header holds one signature and nothing else. */
  readonly separator?: ',' | ';' | ' '
  /** How the header looks as a whole, for a sender whose own library takes nothing else; its first signature counts. */
  readonly form?: RegExp
  /** The header may come several times, and all must hold: a sender that replaces its secret signs with both. */
  readonly repeats?: true
}

/** Where the sender's clock is, and how far it may be from ours, either way. */
export interface TimestampPlace {
  /** Lower case. */
  readonly header?: string
  /** The entry of the signature's list that holds it, such as `t=`. */
  readonly entry?: string
  /** A dotted path into the payload, which is read once the signature holds. */
  readonly body?: string
  /** Unix seconds, Unix milliseconds, or RFC 3339. */
  readonly unit: 's' | 'ms' | 'rfc3339'
  readonly toleranceMs: number
}

interface Bytes {
  /** For a body with a content-encoding: whether the bytes before or after it are signed. Default `'decoded'`. */
  readonly signs?: 'decoded' | 'wire'
}

interface Signed extends Bytes {
  readonly signature: SignaturePlace
  /**
   * The signed bytes: text with `{body}`, `{timestamp}`, `{id}`, `{method}`, `{url}`, `{header:name}` or a part of the
   * provider's own in it. `v0:{timestamp}:{body}` is Slack's.
   */
  readonly signed: string
  readonly timestamp?: TimestampPlace
  /** The header of `{id}`, lower case. */
  readonly id?: string
  /** Headers that must be there with just this value, lower case. */
  readonly requires?: Readonly<Record<string, string>>
  /** The scheme of a request that has no signature header of this one. */
  readonly otherwise?: TemplateScheme
}

/** A hash over a template: keyed with the secret (RFC 2104), or plain with the `{secret}` in the template. */
export interface HashScheme extends Signed {
  readonly kind: 'hmac' | 'hash'
  readonly algorithm: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** How the secret, as the provider shows it, becomes the key. Default `'utf8'`: its text is the key. */
  readonly secretEncoding?: 'utf8' | 'hex' | 'base64'
  /** Shown in front of an encoded secret and not part of it, such as `whsec_`. */
  readonly secretPrefix?: string
  /** How a secret without the prefix becomes the key, if not in the same way. */
  readonly bareSecret?: 'utf8'
}

/** A signature with the sender's private key over a template. */
export interface AsymmetricScheme extends Signed {
  readonly kind: 'asymmetric'
  /** ECDSA in DER, RSA with PKCS #1 v1.5. */
  readonly algorithm: 'ed25519' | 'ecdsa-p256-sha256' | 'rsa-sha256'
}

/** A signature over a template of parts of the request. */
export type TemplateScheme = HashScheme | AsymmetricScheme

/** A secret that is sent along. It proves who sent the request and says nothing of the body. */
export interface TokenScheme extends Bytes {
  readonly kind: 'token'
  /** With a `*` in a body's path, every item must have it. */
  readonly token: { readonly header: string } | { readonly query: string } | { readonly body: string }
  /** What stands before it, such as `Bearer `. */
  readonly prefix?: string
  /** Base64 for HTTP Basic authentication. Default: as it is. */
  readonly encoding?: 'base64'
}

/** A JSON Web Token in a header, which may hold a hash of the body. */
export interface JwtScheme extends Bytes {
  readonly kind: 'jwt'
  /** Lower case. */
  readonly header: string
  /** What stands before the token, such as `Bearer `. */
  readonly prefix?: string
  /** A parameter of the query that is read when the header is absent. */
  readonly query?: string
  readonly algorithm: 'HS256' | 'RS256' | 'ES256'
  /** Algorithms that the sender may choose instead, with the same key. */
  readonly alternatives?: readonly ('HS384' | 'HS512')[]
  /** The claim that holds a SHA-256 of the body; without it the token says nothing of the body. */
  readonly bodyHash?: {
    readonly claim: string
    readonly encoding: Encoding
    /** A request without a body may lack the claim. */
    readonly optionalWhenEmpty?: true
    /** Of a request without a body, the query is hashed, as JSON. */
    readonly queryWhenEmpty?: true
  }
  /** The issuer, when it is always the same; several spellings of it. */
  readonly issuer?: string | readonly string[]
  /** Claims that must be there. */
  readonly required: readonly string[]
  /** How old `iat` may be. Without it, only `exp` bounds the age. */
  readonly maxAgeMs?: number
  /** How far the sender's clock may be from ours. */
  readonly leewayMs: number
  /** How far `iat` may be ahead, for a sender whose own library does not look at that. Default `leewayMs`. */
  readonly aheadMs?: number
}

/** Code of its own: the texts are for people. */
export interface OwnScheme extends Bytes {
  readonly kind: 'own'
  /** What signs, such as `RSA over named fields`. */
  readonly algorithm: string
  /** What is signed. */
  readonly signed: string
}

/** How a sender signs: which header, which bytes, which algorithm, which encoding. */
export type Scheme = TemplateScheme | TokenScheme | JwtScheme | OwnScheme

/** An endpoint validation: when a request is one, and what it is answered. Nothing of it reaches a bot. */
export interface Handshake {
  /** Whether the request must be verified first. Senders that do not sign it are answered before. */
  readonly verified: boolean
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS'
  /** Each place must hold something; with `is`, this text. */
  readonly when: readonly { readonly at: Place; readonly is?: string; readonly absent?: true }[]
  /** The option that must hold what is at a place, such as Meta's verify token. Otherwise the answer is 403. */
  readonly known?: { readonly option: string; readonly at: Place }
  /** A secret that the sender chose and tells now; the option `onSecret` hears it. */
  readonly tells?: Place
  readonly reply: HandshakeReply
}

/** Text goes out as `text/plain` with `nosniff`, so that an echo is never markup. */
export interface HandshakeReply {
  readonly status: number
  readonly text?: Echo
  readonly json?: Readonly<Record<string, Echo | number>>
  readonly headers?: Readonly<Record<string, Echo>>
}

/** What is sent back: a place, or a keyed hash of it with the source's secret. */
export type Echo = Place | HashedEcho

export interface HashedEcho {
  readonly hmac: Place
  readonly encoding: 'hex' | 'base64'
  readonly prefix?: string
  /** What may be hashed for somebody unverified; nothing that could be a body. Default: any token. */
  readonly only?: RegExp
}

/** All that is known of a provider: plain data. */
export interface Preset {
  /** As in logs and file names: `standard-webhooks`. */
  readonly provider: string
  /** As the provider writes itself. */
  readonly title: string
  /** The provider's own page on its signatures. */
  readonly docs: string
  readonly scheme: Scheme
  /** What tells two events apart. Several places: all of them together. Absent: the provider gives nothing. */
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
  /** The text that the sender asks for in a 2xx answer. */
  readonly ackBody?: string
  /** The status that the sender asks for when verification fails, if it names one. */
  readonly refusalStatus?: number
  /** The sender takes a refusal only without a body. */
  readonly bareRefusal?: true
  readonly handshakes?: readonly Handshake[]
  /** How the sender tries again, in words. */
  readonly retries?: string
  /** How a secret is replaced, in words. */
  readonly rotation?: string
  /** What people trip over, a sentence each. */
  readonly pitfalls?: readonly string[]
  /** Prefixes of other credentials of this provider, with what they are: pasted as the secret, they are refused. */
  readonly notSecrets?: Readonly<Record<string, string>>
}

/** The scheme that a request is judged by. */
export const schemeOf = (scheme: Scheme, has: (header: string) => boolean): Scheme =>
  'otherwise' in scheme && scheme.otherwise && !has(scheme.signature.header) ? scheme.otherwise : scheme

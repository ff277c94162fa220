export { verify, sign, signedRequest } from './verify.ts'
export { explain, type Cause, type Explanation } from './explain.ts'
export { confirm, prepare, type Fetch } from './prepare.ts'
export { fetchText, isPublicAddress, type FetchTextOptions } from './fetch-text.ts'
export { handshake } from './handshake.ts'
export { describe, eventType, type Description } from './describe.ts'
export { isSource } from './source.ts'
export type {
  SignedRequest,
  Source,
  Message,
  Sealed,
  Refusal,
  Verification,
  VerificationCode,
} from './source.ts'
export type * from './preset.ts'
export type { Secrets } from './secrets.ts'
export type { ToleranceOption } from './engine.ts'
export type { PublicUrlOption } from './public-url.ts'
export {
  hashSource,
  type HashPreset,
  type SecretOptions,
  type TimedSecretOptions,
  type UrlSecretOptions,
} from './hash.ts'
export {
  asymmetricSource,
  type AsymmetricPreset,
  type PublicKeyOptions,
  type TimedPublicKeyOptions,
} from './asymmetric.ts'
export { tokenSource, type TokenPreset } from './token.ts'
export { jwtSource, type JwtPreset, type KeySet, type TokenKey } from './jwt.ts'
export { RequestHeaders } from '../words/headers.ts'
export { SetupError } from '../words/errors.ts'

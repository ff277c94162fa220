export { verify, sign } from './verify.ts'
export { describe, eventType, type Description } from './describe.ts'
export { isSource } from './source.ts'
export type { SignedRequest, Source, Message, Refusal, Verification, VerificationCode } from './source.ts'
export type {
  AsymmetricScheme,
  Encoding,
  HmacScheme,
  Place,
  Preset,
  Scheme,
  SignaturePlace,
  TimestampPlace,
} from './preset.ts'
export type { Secrets } from './secrets.ts'
export { hmacSource, type HmacPreset, type SecretOptions, type TimedSecretOptions } from './hmac.ts'
export { asymmetricSource, type AsymmetricPreset, type PublicKeyOptions } from './asymmetric.ts'
export { RequestHeaders } from '../words/headers.ts'
export { SetupError } from '../words/errors.ts'

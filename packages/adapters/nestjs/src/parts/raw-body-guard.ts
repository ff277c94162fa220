import type { CanActivate, Type } from '@nestjs/common'
import { rawBody, type RawBodyOptions } from '@trigger-hub/core'
import { rawGuard } from './raw-guard.ts'

/** Keeps the exact bytes for `@RawBody()`. `SignatureGuard` does it by itself. */
export const RawBodyGuard = (options: RawBodyOptions = {}): Type<CanActivate> =>
  rawGuard(options, () => rawBody(options))

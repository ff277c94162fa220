import type { CanActivate, Type } from '@nestjs/common'
import {
  SetupError,
  verifySignature,
  type Stage,
  type TriggerHub,
  type VerifySignatureOptions,
} from '@trigger-hub/core'
import { rawGuard } from './raw-guard.ts'

type Source = Parameters<typeof verifySignature>[0]

/**
 * Lets only requests through that the source has signed: `@UseGuards(SignatureGuard('shop'))`. Then `@WebhookEvent()`,
 * `@Payload()` and `@Body()` are there.
 * @param source   the name of a source of the module's hub; or a preset with its secrets
 * @param options  for a preset
 */
export function SignatureGuard(
  source: string | Source,
  { name, ...options }: VerifySignatureOptions = {},
): Type<CanActivate> {
  if (typeof source === 'string') return rawGuard(options, (hub) => verifierOf(hub, source))
  const stage = verifySignature(source, { ...options, ...(name === undefined ? {} : { name }) })
  return rawGuard(options, () => stage)
}

function verifierOf(hub: TriggerHub | undefined, source: string): Stage {
  const stage = hub?.verifier(source)
  if (stage) return stage
  throw new SetupError(
    'ERR_SOURCE_UNKNOWN',
    hub
      ? `A route is signed by "${source}", but the hub has no such source.`
      : `A route is signed by "${source}", but there is no hub: import TriggerHubModule.forRoot(…) with that source.`,
  )
}

import type { CanActivate, Type } from '@nestjs/common'
import {
  SetupError,
  knownOptions,
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
 * @param options  how the body is read; with a preset, also the source's `name` in events
 */
export function SignatureGuard(
  source: string | Source,
  options: VerifySignatureOptions = {},
): Type<CanActivate> {
  if (typeof source === 'string') {
    knownOptions(`SignatureGuard('${source}')`, options, ['limit', 'bodyTimeout', 'clock'])
    return rawGuard(options, (hub) => verifierOf(hub, source))
  }
  const stage = verifySignature(source, options)
  const { name: _, ...ofBody } = options
  return rawGuard(ofBody, () => stage)
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

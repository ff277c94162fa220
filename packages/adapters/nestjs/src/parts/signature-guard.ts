import { Inject, Optional, mixin, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common'
import {
  SetupError,
  TriggerHub,
  verifySignature,
  type Stage,
  type VerifySignatureOptions,
} from '@trigger-hub/core'
import { guard } from '../lift.ts'
import { readsRawBody } from '../receiving/raw-routes.ts'

type Source = Parameters<typeof verifySignature>[0]

/**
 * Lets only requests through that the source has signed: `@UseGuards(SignatureGuard('shop'))`. Then `@WebhookEvent()`,
 * `@Payload()` and `@Body()` are there.
 * @param source   the name of a source of the module's hub; or a preset with its secrets
 * @param options  for a preset
 */
export function SignatureGuard(
  source: string | Source,
  options: VerifySignatureOptions = {},
): Type<CanActivate> {
  class Guard implements CanActivate {
    static readonly [readsRawBody] = true
    readonly #stage: Stage

    constructor(@Optional() @Inject(TriggerHub) hub?: TriggerHub) {
      this.#stage = typeof source === 'string' ? verifierOf(hub, source) : verifySignature(source, options)
    }

    canActivate(context: ExecutionContext): Promise<boolean> {
      return guard(this.#stage, context)
    }
  }
  return mixin(Guard)
}

function verifierOf(hub: TriggerHub | undefined, source: string): Stage {
  const stage = hub?.verifier(source)
  if (stage) return stage
  throw new SetupError(
    'ERR_SOURCE_UNKNOWN',
    `A route is signed by "${source}", but the hub has no such source.`,
  )
}

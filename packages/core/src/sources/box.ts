import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'
import { either } from '../verify/either.ts'
import type { ToleranceOption } from '../verify/engine.ts'
import { hashSource, type HashPreset } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { SignedRequest, Source } from '../verify/source.ts'

const scheme = (key: 'primary' | 'secondary', body: string): HashScheme => ({
  kind: 'hmac',
  algorithm: 'sha256',
  signature: { header: `box-signature-${key}`, encoding: 'base64' },
  signed: `${body}{timestamp}`,
  timestamp: { header: 'box-delivery-timestamp', unit: 'rfc3339', toleranceMs: 600_000 },
  requires: { 'box-signature-version': '1', 'box-signature-algorithm': 'HmacSHA256' },
})

export const boxPreset: HashPreset = {
  provider: 'box',
  title: 'Box',
  docs: 'https://developer.box.com/guides/webhooks/v2/signatures-v2/',
  scheme: scheme('primary', '{body}'),
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'trigger' },
  headers: ['box-delivery-id', 'box-delivery-timestamp'],
  answerWithinMs: 30_000,
  retries: 'up to 10 times within about 2 hours',
  rotation: 'Each of the two keys signs into a header of its own: replace one, then the other.',
  pitfalls: ['Bodies with characters beyond ASCII may be signed in their escaped form; both are tried.'],
}

/** At least one key. */
export interface BoxOptions extends ToleranceOption {
  readonly primaryKey?: string | undefined
  readonly secondaryKey?: string | undefined
}

/** Webhooks V2 of a Box app. The keys are those of the developer console, under Webhooks. */
export function box<Events = Record<string, unknown>>(options: BoxOptions): Source<Events> {
  knownOptions('box', options, ['primaryKey', 'secondaryKey', 'tolerance'])
  const { primaryKey, secondaryKey, ...more } = options
  const sources = [
    { name: 'primary', secret: primaryKey } as const,
    { name: 'secondary', secret: secondaryKey } as const,
  ].flatMap(({ name, secret }) =>
    secret === undefined
      ? []
      : ['{body}', '{escapedBody}'].map((body) =>
          hashSource<Events>(
            { ...boxPreset, scheme: scheme(name, body) },
            { ...more, secret },
            { escapedBody },
          ),
        ),
  )
  const [first, ...others] = sources
  if (first) return either(first, ...others)
  throw new SetupError(
    'ERR_SECRET_MISSING',
    'The keys of source "box" are missing: set primaryKey, secondaryKey or both to what the developer console shows.',
  )
}

/** The body with slashes and characters beyond ASCII escaped; absent when that is the body itself, which was tried. */
function escapedBody({ rawBody }: SignedRequest): Buffer | undefined {
  if (!rawBody.some((byte) => byte > 0x7f)) return undefined
  return Buffer.from(
    rawBody
      .toString('utf8')
      .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .replace(/\\?\//g, '\\/'),
  )
}

import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'
import { one } from '../verify/claims.ts'
import { hashSource, type HashPreset } from '../verify/hash.ts'
import { refusal, type Source } from '../verify/source.ts'

export const pusherPreset: HashPreset = {
  provider: 'pusher',
  title: 'Pusher Channels',
  docs: 'https://pusher.com/docs/channels/server_api/webhooks/#authentication',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-pusher-signature', encoding: 'hex' },
    signed: '{body}',
  },
  keySigned: false,
  type: { body: 'events.0.name' },
  headers: ['x-pusher-key'],
  retries: 'for 5 minutes, backing off',
  rotation: 'A header names the key that signed: configure both while one is replaced.',
  pitfalls: ['One request may hold several events and has no id; the type is that of the first one.'],
}

export interface PusherOptions {
  /** The app's keys with their secrets. */
  readonly keys: readonly { readonly key: string; readonly secret: string | undefined }[]
}

/** Webhooks of a Pusher Channels app. */
export function pusher<Events = Record<string, unknown>>(options: PusherOptions): Source<Events> {
  knownOptions('pusher', options, ['keys'])
  const given = Array.isArray(options.keys) ? (options.keys as PusherOptions['keys']) : []
  const keys = given.filter((one) => typeof one === 'object' && (one as unknown) !== null)
  const byKey = new Map(keys.map(({ key, secret }) => [key, hashSource<Events>(pusherPreset, { secret })]))
  const [first] = byKey.values()
  if (!first) {
    throw new SetupError(
      'ERR_SECRET_MISSING',
      'The keys of source "pusher" are missing: give each key with its secret.',
    )
  }
  return {
    ...first,
    check: (request, nowMs) => {
      const named = one(request.headers, 'x-pusher-key')
      if (typeof named === 'object') return named
      const source = named === undefined ? undefined : byKey.get(named)
      return source
        ? source.check(request, nowMs)
        : refusal('ERR_SIGNATURE_MISMATCH', 'The header "x-pusher-key" names no configured key.')
    },
    seal: (message) => ({
      headers: { 'x-pusher-key': keys[0]?.key ?? '', ...first.seal?.(message).headers },
    }),
  }
}

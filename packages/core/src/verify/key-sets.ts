import { SetupError } from '../words/errors.ts'
import { keysOfSet, type KeySet, type TokenKey } from './jwt.ts'
import type { Preset } from './preset.ts'
import type { Wanted } from './source.ts'
import { oneOf } from '../words/options.ts'

export interface KeySetOptions {
  /** The sender's key set, as published. Optional with `fetch`. */
  readonly jwks?: KeySet
  /** Let `prepare` fetch the key set from where the sender publishes it. Default false: nothing is fetched. */
  readonly fetch?: boolean
}

/** Keys that change: those that were handed in, and with `fetch` those that the sender publishes. */
export interface Keys {
  readonly known: (nowMs: number) => readonly TokenKey[]
  /** What `prepare` should fetch for a token that names this key. */
  readonly wanted: (id: unknown, nowMs: number) => Wanted | undefined
}

/** A fetched set is asked for again after an hour, and forgotten after a day, milliseconds. */
const freshMs = 3_600_000
const keptMs = 86_400_000

/** Of a fetched set, no more keys than this are kept. */
const mostKeys = 50

/**
 * The keys of a sender that publishes a key set.
 * @param url  where it is published
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export function publishedKeys(preset: Preset, { jwks, fetch = false }: KeySetOptions, url: string): Keys {
  oneOf(`${preset.provider}.fetch`, fetch, [true, false])
  if (!jwks && !fetch) {
    throw new SetupError(
      'ERR_SECRET_MISSING',
      `The jwks of source "${preset.provider}" is missing: give the key set, or set fetch: true.`,
    )
  }
  const given = jwks ? keysOfSet(preset, jwks) : []
  let found: { readonly keys: readonly TokenKey[]; readonly atMs: number } = { keys: [], atMs: -Infinity }
  return {
    known: (nowMs) => (nowMs - found.atMs < keptMs ? [...given, ...found.keys] : given),
    wanted: (id, nowMs) => {
      const fresh = nowMs - found.atMs < freshMs
      if (!fetch || given.some((key) => key.id === id)) return undefined
      if (fresh && found.keys.some((key) => key.id === id)) return undefined
      const keep = (text: string): void => {
        const { keys } = JSON.parse(text) as KeySet
        found = { keys: keys.slice(0, mostKeys).flatMap((key) => usable(preset, key)), atMs: nowMs }
      }
      return { url, keep }
    },
  }
}

/** A published set may hold keys of kinds that Node.js does not know, beside those that are needed. */
function usable(preset: Preset, key: KeySet['keys'][number]): TokenKey[] {
  try {
    return keysOfSet(preset, { keys: [key] })
  } catch {
    return []
  }
}

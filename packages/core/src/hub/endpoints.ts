import { sourceName } from '../pure/pattern.ts'
import { payloadOf } from '../pure/payload.ts'
import { payloadFor } from '../stages/verify-signature.ts'
import { sourceIn, type Source } from '../verify/source.ts'
import { SetupError } from '../words/errors.ts'
import type { EventRecord } from '../words/event.ts'
import { RequestHeaders } from '../words/headers.ts'
import { invalidOption, isRecord, textOf } from '../words/options.ts'
import type { TriggerHubOptions } from './options.ts'

/** One sender and where it sends to. */
export interface Endpoint {
  readonly name: string
  /** Below the mount point, without a slash in front. */
  readonly path: string
  readonly source: Source
}

/** What patterns call the source of a hub that has only one. */
const onlySource = 'webhook'

/**
 * The endpoints of a hub; undefined when it was given no source, because events come from `enqueue(hub)`.
 * @throws SetupError `ERR_OPTION_INVALID`
 */
export function endpointsOf({ sources, endpoint, source }: TriggerHubOptions): Endpoint[] | undefined {
  if (
    (endpoint === undefined) !== (source === undefined) ||
    (sources !== undefined && source !== undefined)
  ) {
    throw invalid('"endpoint" and "source" go together, and instead of "sources".')
  }
  if (endpoint !== undefined && source !== undefined) {
    const path = textOf('endpoint', endpoint, /^\//, `a path, such as '/webhooks/orders'`).slice(1)
    return [{ name: onlySource, path, source: sourceIn('Option "source"', source) }]
  }
  if (sources === undefined) return undefined
  if (!isRecord(sources) || Object.keys(sources).length === 0) {
    throw invalidOption('sources', sources, 'an object with at least one source, by name, or leave it out')
  }
  return Object.entries(sources).map(([name, source]) => {
    if (sourceName.test(name))
      return { name, path: name, source: sourceIn(`Option "sources.${name}"`, source) }
    throw invalid(
      `"${name}" is not a name for a source: it is part of a URL and of patterns, so use letters, digits, "_" and "-".`,
    )
  })
}

const invalid = (message: string): SetupError => new SetupError('ERR_OPTION_INVALID', message)

/** Reads the payload of a stored event as its source does: most senders' is the body, some wrap it. */
export function payloadsOf(endpoints: readonly Endpoint[]): (event: EventRecord) => unknown {
  const sources = new Map(endpoints.map(({ name, source }) => [name, source]))
  return ({ source: name, contentType, rawBody }) => {
    const headers = RequestHeaders.from({ 'content-type': contentType })
    const source = sources.get(name)
    return source
      ? payloadFor(source, { method: 'POST', url: '/', headers, rawBody })
      : payloadOf(rawBody, contentType)
  }
}

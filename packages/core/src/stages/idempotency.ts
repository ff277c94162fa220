import { fingerprint as ofBytes, keyName } from '../pure/digest.ts'
import { keyFromHeaders } from '../pure/idempotency-key.ts'
import { payloadOf } from '../pure/payload.ts'
import { stableJson } from '../pure/stable-json.ts'
import type { Source } from '../verify/index.ts'
import type { Claim, Store, StoredReply } from '../ports/store.ts'
import { bytes, milliseconds, type Duration, type Size } from '../words/amounts.ts'
import { steps, tell } from '../words/channels.ts'
import { clockOf } from '../words/clock.ts'
import { SetupError, WebhookError } from '../words/errors.ts'
import { headerNamed } from '../words/headers.ts'
import { stderrLog, type Log } from '../words/log.ts'
import { able, callable, invalidOption, knownOptions, oneOf } from '../words/options.ts'
import type { Reply, Stage, WebhookRequest } from '../words/request.ts'
import { rawBody, type RawBodyOptions } from './raw-body.ts'
import { runOnce } from './run-once.ts'
import { verifySignature } from './verify-signature.ts'

export interface IdempotencyOptions extends RawBodyOptions {
  store: Store
  /** Headers that may hold the key. Default `Idempotency-Key` and `X-Idempotency-Key`. */
  header?: string | readonly string[]
  /**
   * Takes the key from elsewhere: the id of a source's events, with the signature checked if nobody has yet; or what a
   * function finds, undefined for none.
   */
  key?: Source | ((request: WebhookRequest) => string | undefined)
  /** Refuse a request without a key with 400. Default false: it runs unguarded. */
  required?: boolean
  /** Whose key it is, such as a tenant: equal keys of two scopes do not meet. Method and path always count. */
  scope?: (request: WebhookRequest) => string
  /** Tells a repeat from a reused key. Default: SHA-256 of the bytes, or of what a body parser made of them. */
  fingerprint?: (request: WebhookRequest) => string
  /** Which replies are kept. Default `'below-500'`; others, and thrown errors, free the key. */
  cache?: 'below-500' | 'success' | ((reply: Reply) => boolean)
  /** Headers of a reply that are kept beside the usual ones; `set-cookie` and `date` never are. */
  headers?: readonly string[]
  /** Largest reply that is kept. A larger one, or an event stream, is sent but not replayed. Default `'1mb'`. */
  replayLimit?: Size
  /** How long a repeat waits for the first request before it gets 409. Default 0. */
  wait?: Duration
  /** A claim whose process died frees itself after this. Renewed while the handler runs. Default `'60s'`. */
  lease?: Duration
  /** How long a reply is kept. Default `'24h'`. */
  ttl?: Duration
  /** How long the store may take. Default `'500ms'`. */
  storeTimeout?: Duration
  /** When the store is out of reach: answer 503 (default), or run unguarded. */
  onStoreError?: 'fail' | 'open'
  log?: Log
}

const known = [
  ...[
    'store',
    'header',
    'key',
    'required',
    'scope',
    'fingerprint',
    'cache',
    'headers',
    'replayLimit',
    'wait',
  ],
  ...['lease', 'ttl', 'storeTimeout', 'onStoreError', 'log', 'limit', 'bodyTimeout', 'clock'],
]

const guardedMethods = new Set(['POST', 'PATCH', 'PUT', 'DELETE'])
const pollMs = 50
/** A lease may be long, and most requests are not. */
const longestRetryAfterMs = 1_000

const keptHeaders = [
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition', 'content-location'],
  ...['location', 'link', 'etag', 'last-modified', 'cache-control', 'vary', 'retry-after'],
]
const usualNames = ['idempotency-key', 'x-idempotency-key']
const neverKept = new Set(['set-cookie', 'date', 'connection', 'transfer-encoding', 'content-length'])

/**
 * Runs a route once per key under any concurrency and across processes; repeats get the stored reply byte for byte,
 * marked `Idempotency-Replayed: true`. The reply is held until it is stored.
 *
 * A repeat while the first request runs gets 409 with `retry-after`, a reused key with another body 422, a malformed key
 * 400. A dead process frees its key with the lease, and a fencing token keeps it from finishing late.
 * @throws WebhookError `ERR_KEY_MISSING`, `ERR_KEY_MALFORMED`, `ERR_KEY_IN_FLIGHT`, `ERR_KEY_REUSED`,
 *   `ERR_STORE_UNAVAILABLE`, and what `rawBody` throws, or `verifySignature` where a source has the key
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
export function idempotency(options: IdempotencyOptions): Stage {
  const checked = settings(options)
  const { store, clock, leaseMs, storeTimeoutMs, waitMs, replayLimit } = checked
  const run = runOnce(checked)
  const read = rawBody(bodyOptions(options))
  const verified =
    typeof options.key === 'object' ? verifySignature(options.key, bodyOptions(options)) : undefined

  const guarded: Stage = async (request, next) => {
    const key = keyOf(request, options.key, checked)
    if (key === undefined) return next()
    const { method, url, webhook } = request
    webhook.key = key
    const print = text('fingerprint', options.fingerprint?.(request)) ?? fingerprintOf(request)
    // an id that the signature does not cover counts together with the body, as in the hub
    const unsigned = verified && !webhook.keySigned ? print : ''
    const path = url.split('?', 1)[0] ?? ''
    const name = keyName('guard', text('scope', options.scope?.(request)) ?? '', method, path, key, unsigned)
    if (webhook.guardedAs === name) return next() // another guard is at work; it would wait for itself
    webhook.guardedAs = name

    let claim: Claim
    try {
      claim = await claimOrWait(name, print)
    } catch (cause) {
      if (checked.onStoreError === 'fail') throw unavailable(cause)
      tell(steps.guarded, () => ({ key: name, outcome: 'unguarded' }))
      return next()
    }
    tell(steps.guarded, () => ({ key: name, outcome: claim.is }))
    switch (claim.is) {
      case 'completed':
        return replayed(claim.reply)
      case 'in-flight':
        throw new WebhookError('ERR_KEY_IN_FLIGHT', 'The first request with this key has not finished.', {
          retryAfterMs: Math.min(claim.retryAfterMs, longestRetryAfterMs),
        })
      case 'mismatch':
        throw new WebhookError('ERR_KEY_REUSED', 'This key came with another request before; use a new one.')
      case 'claimed':
        return run(claim, () => next({ holdBytes: replayLimit }))
    }
  }

  async function claimOrWait(name: string, print: string): Promise<Claim> {
    const until = clock.monotonicMs() + waitMs
    for (;;) {
      const askedAt = clock.monotonicMs()
      const claim = await store.claim(name, print, { leaseMs, timeoutMs: storeTimeoutMs })
      if (claim.is === 'claimed' && clock.monotonicMs() > askedAt + leaseMs / 3) {
        // the answer took its time, or this process was stopped: the key may be another's by now
        if (await store.renew(claim, leaseMs)) return claim
        continue
      }
      if (claim.is !== 'in-flight' || clock.monotonicMs() >= until) return claim
      await new Promise<void>((resume) => clock.after(pollMs, resume))
    }
  }

  return async (request, next) => {
    if (!guardedMethods.has(request.method)) return next()
    if (verified && !request.webhook.verified) return verified(request, () => guarded(request, next))
    if (request.parsedBody !== undefined || request.webhook.rawBody !== undefined)
      return guarded(request, next)
    return read(request, () => {
      const { webhook, headers } = request
      webhook.payload = payloadOf(webhook.rawBody ?? Buffer.alloc(0), headers.get('content-type'))
      return guarded(request, next)
    })
  }
}

const headerNames = (option: string, names: string | readonly string[]): string[] =>
  [names].flat().map((name) => headerNamed(option, name))

function settings(options: IdempotencyOptions) {
  knownOptions('idempotency', options, known)
  const { store, key, header = usualNames, headers = [], required = false, cache = 'below-500' } = options
  const { lease = '60s', ttl = '24h', storeTimeout = '500ms', wait = 0, replayLimit = '1mb' } = options
  const { onStoreError = 'fail', log = stderrLog } = options
  able('store', store, 'claim', 'embedded(), redis(url) or memory()')
  if (!['undefined', 'function', 'object'].includes(typeof key)) {
    throw invalidOption('key', key, 'a source or a function; for another header there is "header"')
  }
  if (key !== undefined && options.header !== undefined) {
    throw new SetupError('ERR_OPTION_INVALID', 'Of the options "key" and "header" of idempotency, give one.')
  }
  for (const option of ['scope', 'fingerprint'] as const) {
    if (options[option] !== undefined) callable(option, options[option], 'a function of the request')
  }
  const names = headerNames('header', header)
  if (names.length === 0) throw invalidOption('header', header, 'at least one header, or leave it out')
  const keptNames = [...keptHeaders, ...headerNames('headers', headers)].filter(
    (name) => !neverKept.has(name),
  )
  const cacheable = cacheRule(cache)
  return {
    store,
    names,
    required: oneOf('required', required, [true, false]),
    onStoreError: oneOf('onStoreError', onStoreError, ['fail', 'open']),
    log: callable('log', log),
    clock: clockOf(options.clock),
    leaseMs: milliseconds(lease, 'lease', ['1ms']),
    ttlMs: milliseconds(ttl, 'ttl', ['1ms']),
    storeTimeoutMs: milliseconds(storeTimeout, 'storeTimeout', ['1ms']),
    waitMs: milliseconds(wait, 'wait'),
    replayLimit: bytes(replayLimit, 'replayLimit'),
    keeps: (reply: Reply) => (cacheable(reply) ? storable(reply, keptNames) : undefined),
  }
}

function cacheRule(cache: NonNullable<IdempotencyOptions['cache']>): (reply: Reply) => boolean {
  if (typeof cache === 'function') return cache
  if (cache === 'below-500') return ({ status }) => status < 500
  if (cache === 'success') return ({ status }) => status < 400
  throw invalidOption('cache', cache, "'below-500', 'success' or a function")
}

const bodyOptions = ({ limit, bodyTimeout, clock }: IdempotencyOptions): RawBodyOptions => ({
  ...(limit === undefined ? {} : { limit }),
  ...(bodyTimeout === undefined ? {} : { bodyTimeout }),
  ...(clock === undefined ? {} : { clock }),
})

function keyOf(
  request: WebhookRequest,
  key: IdempotencyOptions['key'],
  { names, required }: { readonly names: readonly string[]; readonly required: boolean },
): string | undefined {
  const given = key ? asHeader(keyElsewhere(key, request)) : keyFromHeaders(request.headers, names)
  if ('key' in given) return given.key
  if ('malformed' in given) {
    throw new WebhookError('ERR_KEY_MALFORMED', `The idempotency key cannot be used: ${given.malformed}.`)
  }
  if (!required) return undefined
  throw new WebhookError(
    'ERR_KEY_MISSING',
    `This request needs an idempotency key in the header ${names[0]}.`,
  )
}

const keyElsewhere = (
  key: NonNullable<IdempotencyOptions['key']>,
  request: WebhookRequest,
): string | undefined => (typeof key === 'function' ? text('key', key(request)) : request.webhook.event?.key)

/** Every promise reads the same, so that one caller would get the reply to another. */
function text(option: string, given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given
  throw new SetupError(
    'ERR_OPTION_INVALID',
    `Option "${option}" of idempotency gave ${given instanceof Promise ? 'a promise' : `a ${typeof given}`}: it has to return text.`,
  )
}

const asHeader = (key: string | undefined): ReturnType<typeof keyFromHeaders> =>
  key === undefined || key === '' ? { missing: true } : { key }

/** Over the bytes if we have them, else over what a body parser made of them. */
const fingerprintOf = ({ webhook, parsedBody }: WebhookRequest): string =>
  ofBytes(webhook.rawBody ?? Buffer.from(stableJson(parsedBody)))

const unavailable = (cause: unknown): WebhookError =>
  new WebhookError('ERR_STORE_UNAVAILABLE', 'The store of the idempotency guard is out of reach.', { cause })

function storable({ status, headers, body }: Reply, kept: readonly string[]): StoredReply {
  return {
    status,
    headers: Object.fromEntries(
      kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
    ),
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  }
}

/** A reply that was too large to keep cannot be given again, but that it was given can be said. */
function replayed({ status, headers, body }: StoredReply): Reply {
  const mark = { 'idempotency-replayed': 'true' }
  if (body) return { status, headers: { ...headers, ...mark }, body }
  return { status, headers: { ...mark, 'idempotency-reply': 'not-kept' }, body: '' }
}

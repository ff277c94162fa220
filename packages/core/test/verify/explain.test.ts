import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { github, gitlab, hmac } from '@trigger-hub/core/sources'
import {
  explain,
  RequestHeaders,
  sign,
  verify,
  type Cause,
  type SignedRequest,
  type Source,
} from '@trigger-hub/core/verify'
import { optionsOf, presetOf, vectorFiles, type Vector } from '../../../../test/vectors/run.ts'

interface Case {
  name: string
  cause: Cause
  source: Source
  request: SignedRequest
  nowMs: number
}

const request = (
  vector: Vector,
  changes: Partial<SignedRequest> & { lines?: [string, string][] } = {},
): SignedRequest => ({
  method: vector.method,
  url: vector.url,
  rawBody: Buffer.from(vector.bodyBase64, 'base64'),
  ...changes,
  headers: new RequestHeaders(
    (changes.lines ?? (Object.entries(vector.headers) as [string, string][])).flat(),
  ),
})

/** Good requests, each spoilt in every way that can be told. */
function casesOf(provider: string, vector: Vector): Case[] {
  const preset = presetOf(provider)!
  const source = preset(optionsOf(preset, vector))
  const { scheme } = source.preset
  if (!('signature' in scheme)) return []
  const nowMs = vector.now * 1_000
  const good = request(vector)
  const lines = Object.entries(vector.headers) as [string, string][]
  const header = scheme.signature.header.replace('*', '1')
  const written = String(vector.headers[header])
  const { prefix = '', encoding } = scheme.signature
  const at = written.lastIndexOf(prefix) + prefix.length
  const bare = written.slice(at)
  const text = good.rawBody.toString('utf8')
  const cases: Case[] = []
  const add = (cause: Cause, changed: SignedRequest, now = nowMs, of = source): void => {
    if (!verify(of, changed, now).ok)
      cases.push({
        name: `${provider}, ${vector.name}: ${cause}`,
        cause,
        source: of,
        request: changed,
        nowMs: now,
      })
  }
  const withSignature = (value: string): SignedRequest =>
    request(vector, { lines: lines.map(([name, old]) => [name, name === header ? value : old]) })
  const withBody = (body: Buffer | string): SignedRequest => request(vector, { rawBody: Buffer.from(body) })
  const without = (name: string): [string, string][] => lines.filter(([other]) => other !== name)

  const coversBody = scheme.signed.includes('ody')
  const json = /^\s*[{[]/.test(text) ? (JSON.parse(text) as unknown) : undefined
  if (coversBody && json !== undefined && JSON.stringify(json) === text) {
    add('body-reserialised', withBody(JSON.stringify(json, null, 2)))
    add('body-newline', withBody(`${text}\n`))
    add('body-newline', withBody(`${text}\r\n`))
    add('body-mark', withBody(`\ufeff${text}`))
    add('body-compressed', withBody(gzipSync(text)))
    add(
      'body-empty',
      request(vector, { rawBody: Buffer.alloc(0), lines: [...lines, ['content-length', '100']] }),
    )
    const escaped = text.replace(
      /[^\0-\x7f]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    if (escaped !== text) add('body-escapes', withBody(escaped))
    add('mismatch', withBody(text.replace(/[a-z]/, 'q')))
  }
  add('header-missing', request(vector, { lines: without(header) }))
  add(
    'header-of-another-sender',
    request(vector, { lines: [...without(header), ['X-Twilio-Signature', 'x']] }),
  )
  add('header-repeated', request(vector, { lines: [...lines, [header.toUpperCase(), written]] }))
  add('signature-empty', withSignature(''))
  add('signature-truncated', withSignature(written.slice(0, -8)))
  if (prefix !== '') add('signature-prefix', withSignature(written.replace(prefix, 'zz=')))
  const bytes = Buffer.from(bare, encoding)
  add(
    'signature-other-encoding',
    withSignature(written.slice(0, at) + bytes.toString(encoding === 'hex' ? 'base64' : 'hex')),
  )
  if (scheme.timestamp) {
    add('clock-behind', good, nowMs + 86_400_000)
    add('clock-ahead', good, nowMs - 86_400_000)
    const { header: name } = scheme.timestamp
    if (name !== undefined) {
      add('timestamp-missing', request(vector, { lines: without(name) }))
      add('timestamp-malformed', request(vector, { lines: [...without(name), [name, 'yesterday']] }))
    }
  }
  if (scheme.signed.includes('{url}')) {
    add('url-changed', request(vector, { url: vector.url.replace('https:', 'http:') }))
    add(
      'url-changed',
      request(vector, {
        url: vector.url.replace(/^https:\/\/[^/]*/, 'http://10.0.0.7:3000'),
        lines: [...lines, ['x-forwarded-host', new URL(vector.url).host]],
      }),
    )
  }
  if (vector.secret !== undefined && scheme.kind !== 'asymmetric') {
    const other =
      'secretEncoding' in scheme && scheme.secretEncoding === 'base64' ? 'whsec_AAAAAAAAAAAAAAAA' : 'abcd'
    add('mismatch', good, nowMs, preset({ ...optionsOf(preset, vector), secret: other }))
  }
  return cases
}

const cases = vectorFiles(join(__dirname, '../../../../test/vectors')).flatMap(({ provider, vectors }) =>
  vectors
    .filter(
      ({ name, expect, latitude }) =>
        expect === 'valid' && !latitude && /ordinary event|non-ASCII letters/.test(name),
    )
    .flatMap((vector) => casesOf(provider, vector)),
)

describe('explain', () => {
  it('names the cause of nine refusals out of ten, over requests of every sender spoilt in some twenty ways', () => {
    const wrong = cases.flatMap(({ name, cause, source, request, nowMs }) => {
      const found = explain(source, request, nowMs)?.cause
      return found === cause ? [] : [`${name} was taken for ${found}`]
    })
    expect(cases.length).toBeGreaterThan(1_000)
    expect(new Set(cases.map(({ cause }) => cause)).size).toBeGreaterThanOrEqual(12)
    expect(wrong.length / cases.length < 0.1 ? [] : wrong).toEqual([])
  })

  it('says nothing about a request that is accepted', () => {
    const source = github({ secret: 'a secret' })
    const rawBody = Buffer.from('{}')
    const headers = RequestHeaders.from(sign(source, { rawBody, nowMs: 0 }))
    expect(explain(source, { method: 'POST', url: '/', headers, rawBody }, 0)).toBeUndefined()
  })

  it('tells how far a clock is off', () => {
    const found = cases.find(({ cause }) => cause === 'clock-behind')!
    const { skewMs } = explain(found.source, found.request, found.nowMs)!
    expect(skewMs).toBeGreaterThanOrEqual(86_000_000)
    expect(skewMs).toBeLessThanOrEqual(87_000_000)
  })

  it('shows no secret, no good signature and no payload', () => {
    for (const { source, request, nowMs } of cases) {
      const text = JSON.stringify(explain(source, request, nowMs))
      const body = request.rawBody.toString('utf8').slice(0, 200)
      if (body.length > 40) expect(text).not.toContain(body)
      expect(text).not.toMatch(/[0-9a-f]{32}|[A-Za-z0-9+/]{40}/)
    }
  })

  it('looks at deeply nested JSON at a bounded cost', () => {
    const source = github({ secret: 'a secret' })
    const headers = RequestHeaders.from({ 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` })
    const rawBody = Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))
    expect(explain(source, { method: 'POST', url: '/', headers, rawBody }, 0)?.cause).toBe('mismatch')
  })

  it('speaks of the sender where it knows only how that signs', () => {
    const source = hmac({ secret: 'a secret' })
    const request = { method: 'POST', url: '/', headers: RequestHeaders.from({}), rawBody: Buffer.from('{}') }
    expect(explain(source, request, 0)?.message).toContain('is not from the sender (HMAC), signing is not')
  })

  it('has words for senders without a signature header', () => {
    const source = gitlab({ secret: 'a token' })
    const request = { method: 'POST', url: '/', headers: RequestHeaders.from({}), rawBody: Buffer.from('{}') }
    expect(explain(source, request, 0)).toMatchObject({
      cause: 'header-missing',
      code: 'ERR_SIGNATURE_MISSING',
    })
  })
})

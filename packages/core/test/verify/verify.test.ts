import { inspect } from 'node:util'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  github,
  gitlab,
  hmac,
  okta,
  slack,
  standardWebhooks,
  stripe,
  svix,
  twilio,
} from '@trigger-hub/core/sources'
import { isSource, RequestHeaders, sign, verify, type Source } from '@trigger-hub/core/verify'

const nowMs = Date.parse('2026-01-01T00:00:00Z')
const rawBody = Buffer.from('{"id":"evt_1","type":"order.paid"}')
const whsec = `whsec_${randomBytes(24).toString('base64')}`

/** A request as the sender would make it, or with other headers in place of some. */
function signedRequest(source: Source, changes: Record<string, string | string[] | undefined> = {}) {
  const headers = sign(source, { rawBody, nowMs, url: 'https://hooks.example.com/a' })
  return {
    method: 'POST',
    url: 'https://hooks.example.com/a',
    headers: RequestHeaders.from({ ...headers, ...changes }),
    rawBody,
  }
}

describe('a source', () => {
  it.each([
    ['github', github({ secret: 'a secret' })],
    ['stripe', stripe({ secret: 'whsec_of the endpoint' })],
    ['slack', slack({ secret: 'a secret' })],
    ['standard webhooks', standardWebhooks({ secret: whsec })],
    ['svix', svix({ secret: whsec })],
    ['gitlab', gitlab({ secret: 'a token' })],
    ['hmac', hmac({ secret: 'a secret' })],
  ])('accepts what it signs itself: %s', (_, source) => {
    expect(verify(source, signedRequest(source), nowMs)).toEqual({ ok: true })
  })

  it('accepts what the holder of the private key signed', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    const source = standardWebhooks({ publicKey: `whpk_${raw.toString('base64')}` })
    const headers = sign(source, {
      rawBody,
      nowMs,
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    })

    expect(headers['webhook-signature']).toMatch(/^v1a,/)
    expect(
      verify(source, { method: 'POST', url: '/', headers: RequestHeaders.from(headers), rawBody }, nowMs).ok,
    ).toBe(true)
    expect(() => sign(source, { rawBody, nowMs })).toThrow('privateKey')
  })

  it('shows no secret when it is logged', () => {
    const secret = 'a-secret-that-must-not-be-seen'
    expect(inspect(hmac({ secret }), { depth: 10, showHidden: true })).not.toContain(secret)
    expect(inspect(gitlab({ secret }), { depth: 10, showHidden: true })).not.toContain(secret)
  })

  it('is told from anything else', () => {
    expect(isSource(github({ secret: 'a secret' }))).toBe(true)
    for (const other of [undefined, null, 'github', {}, { preset: {} }]) expect(isSource(other)).toBe(false)
  })
})

describe('set-up mistakes', () => {
  const code = (make: () => unknown): { code?: string; message?: string } => {
    try {
      make()
      return {}
    } catch (error) {
      return error as { code: string; message: string }
    }
  }

  it.each([
    undefined,
    null,
    '',
    '  ',
    '\n',
    [],
    [''],
    ['good', ''],
    'undefined',
    'changeme',
    'change-me',
    '<secret>',
    'xxxx',
    '...',
  ])('refuses a secret that is missing or a placeholder: %j', (secret) => {
    expect(code(() => github({ secret: secret as string }))).toMatchObject({ code: 'ERR_SECRET_MISSING' })
  })

  it.each(['sk_live_51', 'sk_test_51', 'rk_live_51', 'pk_test_51'])(
    'refuses the API key %s as a webhook secret',
    (secret) => {
      const error = code(() => stripe({ secret }))
      expect(error.code).toBe('ERR_SECRET_WRONG_KIND')
      expect(error.message).toContain('whsec_')
      expect(error.message).not.toContain('51')
    },
  )

  it('refuses a secret with white space around it, a number and what is not base64', () => {
    expect(code(() => github({ secret: 'good\n' })).code).toBe('ERR_SECRET_WRONG_KIND')
    expect(code(() => github({ secret: 42 as unknown as string })).code).toBe('ERR_SECRET_WRONG_KIND')
    expect(code(() => standardWebhooks({ secret: 'whsec_not base64!' })).code).toBe('ERR_SECRET_WRONG_KIND')
    expect(code(() => standardWebhooks({ secret: 'whsec_' })).code).toBe('ERR_SECRET_WRONG_KIND')
    expect(code(() => standardWebhooks({ publicKey: 'whpk_AAAA' })).code).toBe('ERR_SECRET_WRONG_KIND')
  })

  it('names the known options beside an unknown one', () => {
    const error = code(() => github({ secret: 'good', tolerance: '5m' } as { secret: string }))
    expect(error.code).toBe('ERR_OPTION_UNKNOWN')
    expect(error.message).toContain('secret')
  })

  it.each([
    { tolerance: '5 minutes' },
    { tolerance: 0 },
    { algorithm: 'md5' },
    { encoding: 'utf8' },
    { signed: 'nothing' },
    { signed: '{body}{secret of mine}' },
    { signed: '{timestamp}.{body}' },
    { timestamp: 'X-Timestamp', signed: '{body}' },
  ])('refuses options that cannot be: %j', (options) => {
    const timed = 'tolerance' in options ? { timestamp: 'X-Timestamp' } : {}
    expect(code(() => hmac({ secret: 'good', ...timed, ...(options as object) }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })

  it('refuses what is not the name of a header', () => {
    expect(code(() => okta({ secret: 'good', header: '' })).code).toBe('ERR_OPTION_INVALID')
    expect(code(() => okta({ secret: 'good', header: 'X-Key: good' })).code).toBe('ERR_OPTION_INVALID')
  })
})

describe('hmac', () => {
  it('is HMAC-SHA256 in hex over the body in X-Signature, by default', () => {
    const source = hmac({ secret: 'key' })
    const body = Buffer.from('The quick brown fox jumps over the lazy dog')
    const headers = RequestHeaders.from({
      'X-Signature': 'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
    })
    expect(verify(source, { method: 'POST', url: '/', headers, rawBody: body }, nowMs)).toEqual({ ok: true })
    expect(source.preset).toMatchObject({ key: { header: 'x-idempotency-key' }, keySigned: false })
  })

  it('signs a timestamp and an id where it is told to', () => {
    const source = hmac({
      secret: 'good',
      header: 'X-Sig',
      prefix: 'v1=',
      encoding: 'base64url',
      timestamp: 'X-Time',
      key: 'X-Id',
      signed: '{id}:{timestamp}:{body}',
      tolerance: '1m',
    })
    expect(source.preset.keySigned).toBe(true)
    expect(verify(source, signedRequest(source), nowMs + 59_000)).toEqual({ ok: true })
    expect(verify(source, signedRequest(source), nowMs + 61_000)).toMatchObject({
      code: 'ERR_TIMESTAMP_STALE',
    })
    expect(verify(source, signedRequest(source), nowMs - 61_000)).toMatchObject({
      code: 'ERR_TIMESTAMP_FUTURE',
    })
    expect(verify(source, signedRequest(source, { 'x-id': 'another' }), nowMs)).toMatchObject({
      code: 'ERR_SIGNATURE_MISMATCH',
    })
  })
})

describe('verify', () => {
  const source = slack({ secret: 'a secret' })

  const malformedTimes = ['123junk', '1e9', '0x69', '-1', ' 1767225600', '1767225600.5', '', '١٧٦٧']
  const wrong: [string, Record<string, string | string[] | undefined>, string][] = [
    ['no signature', { 'x-slack-signature': undefined }, 'ERR_SIGNATURE_MISSING'],
    ['an empty one', { 'x-slack-signature': '' }, 'ERR_SIGNATURE_MALFORMED'],
    ['one that is too long', { 'x-slack-signature': `v0=${'a'.repeat(65_536)}` }, 'ERR_SIGNATURE_MALFORMED'],
    ['one of another secret', { 'x-slack-signature': `v0=${'a'.repeat(64)}` }, 'ERR_SIGNATURE_MISMATCH'],
    [
      'two',
      { 'x-slack-signature': [`v0=${'a'.repeat(64)}`, `v0=${'a'.repeat(64)}`] },
      'ERR_SIGNATURE_MALFORMED',
    ],
    ['no timestamp', { 'x-slack-request-timestamp': undefined }, 'ERR_TIMESTAMP_MISSING'],
    [
      'two timestamps',
      { 'x-slack-request-timestamp': ['1767225600', '1767225600'] },
      'ERR_TIMESTAMP_MALFORMED',
    ],
  ]
  for (const time of malformedTimes) {
    wrong.push([`the timestamp "${time}"`, { 'x-slack-request-timestamp': time }, 'ERR_TIMESTAMP_MALFORMED'])
  }

  it.each(wrong)('says what is wrong with %s', (_, changes, code) => {
    expect(verify(source, signedRequest(source, changes), nowMs)).toMatchObject({ ok: false, code })
  })

  it('calls a request stale only if its signature holds', () => {
    const hourLater = nowMs + 3_600_000
    expect(verify(source, signedRequest(source), hourLater)).toMatchObject({ code: 'ERR_TIMESTAMP_STALE' })
    const forged = signedRequest(source, { 'x-slack-signature': `v0=${'a'.repeat(64)}` })
    expect(verify(source, forged, hourLater)).toMatchObject({ code: 'ERR_SIGNATURE_MISMATCH' })
  })

  it('puts no secret, signature or payload into its messages', () => {
    const request = signedRequest(source, { 'x-slack-signature': `v0=${'b'.repeat(64)}` })
    const { message } = verify(source, request, nowMs) as { message: string }
    for (const hidden of ['a secret', 'bbbb', 'order.paid']) expect(message).not.toContain(hidden)
  })

  it('accepts any of several secrets, in any order', () => {
    const request = signedRequest(github({ secret: 'new' }))
    for (const secret of [
      ['old', 'new'],
      ['new', 'old'],
    ])
      expect(verify(github({ secret }), request, nowMs).ok).toBe(true)
    expect(verify(github({ secret: ['old', 'older'] }), request, nowMs).ok).toBe(false)
  })

  it('refuses a second id that is not signed', () => {
    const plain = github({ secret: 'a secret' })
    const request = signedRequest(plain, { 'x-github-delivery': ['1', '2'] })
    expect(verify(plain, request, nowMs)).toMatchObject({ code: 'ERR_SIGNATURE_MALFORMED' })
  })

  it('never throws, whatever it is handed', () => {
    const broken = { method: 'POST', url: '/', rawBody, headers: undefined as unknown as RequestHeaders }
    expect(verify(source, broken, nowMs)).toMatchObject({ ok: false, code: 'ERR_SIGNATURE_MALFORMED' })
  })

  it('hashes bytes, not text: a body that is not UTF-8 is not equal to its replacement characters', () => {
    const plain = hmac({ secret: 'a secret' })
    const bytes = Buffer.from([0xff, 0xfe, 0x24, 0x24])
    const headers = RequestHeaders.from(sign(plain, { rawBody: bytes, nowMs }))
    const replaced = Buffer.from(bytes.toString('utf8'))
    expect(verify(plain, { method: 'POST', url: '/', headers, rawBody: bytes }, nowMs).ok).toBe(true)
    expect(verify(plain, { method: 'POST', url: '/', headers, rawBody: replaced }, nowMs).ok).toBe(false)
  })
})

describe('senders that sign the URL', () => {
  const secret = 'a token'
  const body = Buffer.from('A=1')
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const headers = sign(twilio({ secret }), {
    rawBody: body,
    nowMs,
    url: 'https://hooks.example.com/sms?x=1',
    headers: type,
  })
  const verdict = (source: Source, url: string, more: Record<string, string> = {}): boolean =>
    verify(
      source,
      { method: 'POST', url, rawBody: body, headers: RequestHeaders.from({ ...headers, ...more }) },
      nowMs,
    ).ok

  it('take the URL of the request, or https and the Host header for a path alone', () => {
    expect(verdict(twilio({ secret }), 'https://hooks.example.com/sms?x=1')).toBe(true)
    expect(verdict(twilio({ secret }), '/sms?x=1', { host: 'hooks.example.com' })).toBe(true)
    expect(verdict(twilio({ secret }), '/sms?x=1', { host: 'other.example.com' })).toBe(false)
  })

  it('take publicUrl behind a proxy: an origin, a URL, or a URL with its query', () => {
    const behind = (publicUrl: string): boolean =>
      verdict(twilio({ secret, publicUrl }), 'http://10.0.0.7:3000/sms?x=1')
    expect(behind('https://hooks.example.com')).toBe(true)
    expect(behind('https://hooks.example.com/sms')).toBe(true)
    expect(behind('https://hooks.example.com/sms?x=1')).toBe(true)
    expect(behind('https://hooks.example.com/other')).toBe(false)
  })
})

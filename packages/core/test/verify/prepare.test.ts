import { createPublicKey, createSign, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { awsSns, googlePubsub, microsoftGraph, truelayer } from '@trigger-hub/core/sources'
import { confirm, prepare, RequestHeaders, verify } from '@trigger-hub/core/verify'
import type { Vector, VectorFile } from '../../../../test/vectors/run.ts'
import { hosts } from './https.ts'

const vectorsOf = (provider: string): Vector[] =>
  (
    JSON.parse(
      readFileSync(join(__dirname, `../../../../test/vectors/${provider}.json`), 'utf8'),
    ) as VectorFile
  ).vectors

const requestOf = ({ method, url, headers, bodyBase64, now }: Vector) => ({
  request: { method, url, headers: RequestHeaders.from(headers), rawBody: Buffer.from(bodyBase64, 'base64') },
  nowMs: now * 1_000,
})

const sns = vectorsOf('aws-sns')
const named = (vectors: Vector[], name: string): Vector => vectors.find((one) => one.name.startsWith(name))!

/** The hosts of Amazon with the certificates of a vector. */
const amazon = ({ certificates = {} }: Vector) =>
  hosts(({ headers, url }, response) => {
    response.end(certificates[`https://${headers.host?.replace(/:\d+$/, '')}${url}`] ?? 'not a certificate')
  })

describe('a certificate', () => {
  it('is fetched from where a message names it, once, and only with fetch: true', async () => {
    const vector = named(sns, 'Notification, version 2')
    const { request, nowMs } = requestOf(vector)
    const { asked, fetch } = await amazon(vector)
    const source = awsSns({ fetch: true })

    expect(verify(source, request, nowMs).ok).toBe(false)
    await Promise.all([prepare(source, request, nowMs, fetch), prepare(source, request, nowMs, fetch)])
    await prepare(source, request, nowMs, fetch)
    expect(verify(source, request, nowMs)).toEqual({ ok: true })
    expect(asked).toEqual(Object.keys(vector.certificates!).map((url) => `GET ${url}`))

    const handed = awsSns({
      certificates: {
        'https://sns.eu-west-1.amazonaws.com/other.pem': Object.values(vector.certificates!)[0]!,
      },
    })
    await prepare(handed, request, nowMs, fetch)
    expect(asked).toHaveLength(1)
  })

  it.each(sns.filter(({ name }) => name.startsWith('certificate URL')))(
    'is not fetched: $name',
    async (vector) => {
      const { request, nowMs } = requestOf(vector)
      const { asked, fetch } = await amazon(vector)
      const source = awsSns({ fetch: true })
      await prepare(source, request, nowMs, fetch)
      expect(asked).toEqual([])
      expect(verify(source, request, nowMs).ok).toBe(false)
    },
  )

  it('is not asked for again at once when it was not there, and that is no error', async () => {
    const { request, nowMs } = requestOf(named(sns, 'Notification, version 2'))
    const { asked, fetch } = await hosts((_, response) => response.writeHead(503).end())
    const source = awsSns({ fetch: true })
    await prepare(source, request, nowMs, fetch)
    await prepare(source, request, nowMs + 59_000, fetch)
    expect(asked).toHaveLength(1)
    await prepare(source, request, nowMs + 60_000, fetch)
    expect(asked).toHaveLength(2)
    expect(verify(source, request, nowMs).ok).toBe(false)
  })
})

describe('a key set', () => {
  const vector = named(vectorsOf('google-pubsub'), 'ordinary push')
  const { audience, serviceAccountEmail } = vector.config as Record<string, string>
  const jwks = {
    keys: Object.entries(vector.certificates!).map(([kid, pem]) => ({
      kid,
      ...(pem.includes('CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem)).export({
        format: 'jwk',
      }),
    })),
  }
  const google = () => hosts((_, response) => response.end(JSON.stringify(jwks)))
  const options = { audience: audience!, serviceAccountEmail: serviceAccountEmail! }

  it('is fetched from where the sender publishes it, and kept for a day', async () => {
    const { request, nowMs } = requestOf(vector)
    const { asked, fetch } = await google()
    const source = googlePubsub({ ...options, fetch: true })
    expect(verify(source, request, nowMs).ok).toBe(false)
    await prepare(source, request, nowMs, fetch)
    await prepare(source, request, nowMs + 1_000, fetch)
    expect(verify(source, request, nowMs)).toEqual({ ok: true })
    expect(asked).toEqual(['GET https://www.googleapis.com/oauth2/v3/certs'])

    await prepare(source, request, nowMs + 3_600_000, fetch) // an hour later it may have changed
    expect(asked).toHaveLength(2)
    const { code } = verify(source, request, nowMs + 3 * 86_400_000) as { code: string }
    expect(code).toBe('ERR_SIGNATURE_MISMATCH') // no key any more, and so not even "stale"
  })

  it('is asked for again when a token names a key that is not in it, and at most once a minute', async () => {
    const { request, nowMs } = requestOf(vector)
    const others = { keys: jwks.keys.map((key) => ({ ...key, kid: 'another key' })) }
    const { asked, fetch } = await hosts((_, response) => response.end(JSON.stringify(others)))
    const source = googlePubsub({ ...options, fetch: true })
    for (const after of [0, 1_000, 59_000]) await prepare(source, request, nowMs + after, fetch)
    expect(asked).toHaveLength(1)
    await prepare(source, request, nowMs + 60_000, fetch)
    expect(asked).toHaveLength(2)
    expect(verify(source, request, nowMs).ok).toBe(false)
  })

  it('may hold keys of a kind that is not known here', async () => {
    const { request, nowMs } = requestOf(vector)
    const more = { keys: [{ kty: 'AKP', alg: 'ML-DSA-44', kid: 'later', pub: 'AA' }, ...jwks.keys] }
    const { fetch } = await hosts((_, response) => response.end(JSON.stringify(more)))
    const source = googlePubsub({ ...options, fetch: true })
    await prepare(source, request, nowMs, fetch)
    expect(verify(source, request, nowMs)).toEqual({ ok: true })
  })

  it('that is none leaves the source as it was', async () => {
    const { request, nowMs } = requestOf(vector)
    const { fetch } = await hosts((_, response) => response.end('<html>'))
    const source = googlePubsub({ ...options, fetch: true })
    await prepare(source, request, nowMs, fetch)
    expect(verify(source, request, nowMs)).toMatchObject({ code: 'ERR_SIGNATURE_MISMATCH' })
  })

  it('is never fetched when it was handed in without fetch', async () => {
    const { request, nowMs } = requestOf(vector)
    const { asked, fetch } = await google()
    await prepare(googlePubsub({ ...options, jwks }), request, nowMs, fetch)
    await prepare(googlePubsub({ ...options, jwks, fetch: true }), request, nowMs, fetch) // has the key
    expect(asked).toEqual([])
    expect(() => googlePubsub(options)).toThrow('fetch: true')
  })

  it('of TrueLayer is that of the environment that the signature names, and no other', async () => {
    const published = named(vectorsOf('truelayer'), 'published figure: a webhook')
    const { request, nowMs } = requestOf(published)
    const { asked, fetch } = await hosts((_, response) => response.end(JSON.stringify(published.jwks)))
    const source = truelayer({ fetch: true })
    await prepare(source, request, nowMs, fetch)
    expect(verify(source, request, nowMs)).toEqual({ ok: true })
    expect(asked).toEqual(['GET https://webhooks.truelayer.com/.well-known/jwks'])

    const [head = '', , signature = ''] = request.headers.get('tl-signature')!.split('.')
    const fields = JSON.parse(Buffer.from(head, 'base64url').toString()) as object
    const elsewhere = { ...fields, jku: 'https://attacker.example/.well-known/jwks' }
    const written = `${Buffer.from(JSON.stringify(elsewhere)).toString('base64url')}..${signature}`
    const forged = { ...request, headers: RequestHeaders.from({ 'tl-signature': written }) }
    await prepare(truelayer({ fetch: true }), forged, nowMs, fetch)
    expect(asked).toHaveLength(1)
    expect(verify(source, forged, nowMs)).toMatchObject({ code: 'ERR_SIGNATURE_MALFORMED' })
  })
})

describe('validation tokens of Microsoft Graph', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  const tenant = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
  const good = {
    aud: 'our-client-id',
    iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
    azp: '0bf30f3b-4a52-48df-9a82-234910c4a086',
    exp: nowMs / 1_000 + 3_600,
  }
  const token = (claims: object): string => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const bytes = `${encode({ alg: 'RS256', kid: 'key-1' })}.${encode(claims)}`
    return `${bytes}.${createSign('sha256').update(bytes).sign(privateKey, 'base64url')}`
  }
  const notified = (validationTokens: unknown, item = {}) => ({
    method: 'POST',
    url: '/',
    headers: RequestHeaders.from({}),
    rawBody: Buffer.from(JSON.stringify({ value: [{ clientState: 'state', ...item }], validationTokens })),
  })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1' }] }
  const source = microsoftGraph({ secret: 'state', audience: 'our-client-id', jwks })
  const verdict = (request: ReturnType<typeof notified>) => {
    const checked = verify(source, request, nowMs)
    return checked.ok ? 'ok' : checked.code
  }

  it('are accepted in both versions of the token', () => {
    const { azp, ...rest } = good
    const old = { ...rest, appid: azp, iss: `https://sts.windows.net/${tenant}/` }
    expect(verdict(notified([token(good), token(old)]))).toBe('ok')
  })

  it.each([
    ['another app', { aud: 'other' }],
    ['another sender', { azp: 'other' }],
    ['another issuer', { iss: 'https://login.microsoftonline.com.attacker.example/x/v2.0' }],
  ])('are refused for %s', (_, claims) => {
    expect(verdict(notified([token(good), token({ ...good, ...claims })]))).toBe('ERR_SIGNATURE_MISMATCH')
  })

  it('are refused when they have expired, or are none', () => {
    expect(verdict(notified([token({ ...good, exp: nowMs / 1_000 - 600 })]))).toBe('ERR_TIMESTAMP_STALE')
    expect(verdict(notified(['not a token']))).toBe('ERR_SIGNATURE_MALFORMED')
    expect(verdict(notified([null]))).toBe('ERR_SIGNATURE_MALFORMED')
  })

  it('must be there with resource data, and need not be without', () => {
    expect(verdict(notified(undefined))).toBe('ok')
    expect(verdict(notified([], { encryptedContent: { data: 'x' } }))).toBe('ERR_SIGNATURE_MISSING')
  })

  it('are checked with the keys that Microsoft publishes', async () => {
    const { asked, fetch } = await hosts((_, response) => response.end(JSON.stringify(jwks)))
    const fetching = microsoftGraph({ secret: 'state', audience: 'our-client-id', fetch: true })
    const request = notified([token(good)])
    await prepare(fetching, request, nowMs, fetch)
    expect(verify(fetching, request, nowMs)).toEqual({ ok: true })
    expect(asked).toEqual(['GET https://login.microsoftonline.com/common/discovery/v2.0/keys'])
  })

  it('are left alone when no app is configured', () => {
    expect(verify(microsoftGraph({ secret: 'state' }), notified(['not a token']), nowMs).ok).toBe(true)
    expect(() => microsoftGraph({ secret: 'state', fetch: true })).toThrow('audience')
  })
})

describe('the subscription of a topic', () => {
  const vector = named(sns, 'SubscriptionConfirmation, version 2')
  const { request } = requestOf(vector)
  const body = JSON.parse(request.rawBody.toString()) as { TopicArn: string; SubscribeURL: string }
  const options = { certificates: vector.certificates!, topicArn: body.TopicArn }

  it('is confirmed by a visit to its URL, only with confirm: true', async () => {
    const { asked, fetch } = await hosts((_, response) => response.end('<ConfirmSubscriptionResponse/>'))
    expect(await confirm(awsSns(options), request, fetch)).toBe(false)
    expect(await confirm(awsSns({ ...options, confirm: true }), request, fetch)).toBe(true)
    expect(asked).toEqual([`GET ${body.SubscribeURL}`])
  })

  it.each([
    ['https://attacker.example/?Action=ConfirmSubscription&Token=1'],
    ['https://sns.us-east-1.amazonaws.com.attacker.example/?Action=ConfirmSubscription&Token=1'],
    ['https://sns.us-east-1.amazonaws.com/?Action=DeleteTopic&TopicArn=1'],
    ['http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1'],
    ['https://user@sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1'],
  ])('is not confirmed by a visit to %s', async (SubscribeURL) => {
    const { asked, fetch } = await hosts((_, response) => response.end())
    const rawBody = Buffer.from(JSON.stringify({ ...body, SubscribeURL }))
    const source = awsSns({ ...options, confirm: true })
    expect(await confirm(source, { ...request, rawBody }, fetch)).toBe(false)
    expect(asked).toEqual([])
  })

  it('is an error when the visit fails, so that SNS asks again', async () => {
    const { fetch } = await hosts((_, response) => response.writeHead(403).end())
    await expect(confirm(awsSns({ ...options, confirm: true }), request, fetch)).rejects.toThrow('403')
  })

  it('is never confirmed for any topic', () => {
    expect(() => awsSns({ certificates: vector.certificates!, confirm: true })).toThrow('topicArn')
  })
})

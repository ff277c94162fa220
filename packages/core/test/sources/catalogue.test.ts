import { generateKeyPairSync } from 'node:crypto'
import {
  adyen,
  awsSns,
  azureEventGrid,
  microsoftGraph,
  plaid,
  rfc9421,
  telnyx,
  twilio,
} from '@trigger-hub/core/sources'
import {
  describe as describeEvent,
  RequestHeaders,
  sign,
  signedRequest as signed,
  verify,
} from '@trigger-hub/core/verify'
import { presetOf } from '../../../../test/vectors/run.ts'
import { presets } from '../../src/sources/presets.ts'
import { bodyOf, keyless, nowMs, sealing, signedRequest } from './senders.ts'

const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
const jwk = { ...ed25519, x: Buffer.from(ed25519.x!, 'base64url').toString('base64') }

describe('the catalogue', () => {
  it('has every provider once, exported under its name', () => {
    expect(new Set(presets.map(({ provider }) => provider)).size).toBe(presets.length)
    expect(presets.length).toBeGreaterThanOrEqual(94)
    expect(presets.filter(({ provider }) => !presetOf(provider))).toEqual([])
  })

  it.each(presets)('describes $provider with lower-case headers and without a credential', (preset) => {
    const { scheme, headers = [], docs } = preset
    expect(docs).toMatch(/^https:\/\//)
    for (const name of headers) expect(name).toBe(name.toLowerCase())
    const credential =
      'signature' in scheme ? scheme.signature.header : 'header' in scheme ? scheme.header : 'authorization'
    expect(headers).not.toContain(credential)
    expect(
      headers.filter(
        (name) =>
          /signature|authorization|token$|hmac|secret/.test(name) && !/timestamp|idempotency/.test(name),
      ),
    ).toEqual([])
  })

  it.each(presets)('refuses to be $provider without its key, and with an unknown option', ({ provider }) => {
    const make = (options: object) => (): unknown => presetOf(provider)!(options)
    expect(make({})).toThrow(/missing|empty/)
    expect(make({ secret: '', publicKey: '', jwks: {}, certificates: {} })).toThrow(TypeError)
    expect(code(make({ misspelt: 1 }))).toBe('ERR_OPTION_UNKNOWN') // and not a missing secret
  })
})

describe('sign', () => {
  it('covers all but the senders whose private key nobody else has', () => {
    expect(sealing.length).toBe(presets.length - keyless.length)
  })

  it.each(sealing)('makes a request that $provider could have made', (sender) => {
    const { source, preset } = sender
    const request = signedRequest(sender)
    expect(verify(source, request, nowMs)).toEqual({ ok: true })
    // and no other body under it, unless the sender signs none
    const { scheme } = preset
    const coversBody = 'signed' in scheme || ('bodyHash' in scheme && scheme.bodyHash !== undefined)
    const rawBody = Buffer.from(`${request.rawBody.toString()}1`.replace('"1"', '"7"'))
    if (scheme.kind !== 'token' || !('body' in scheme.token))
      expect(verify(source, { ...request, rawBody }, nowMs).ok).toBe(!coversBody)
  })

  it.each(['ed25519', 'ecdsa-p256-sha256', 'rsa-pss-sha512', 'rsa-v1_5-sha256'] as const)(
    'makes a message signature with %s from a private key',
    (alg) => {
      const pair = alg.startsWith('rsa')
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : alg === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }) as string
      const privateKey = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
      const source = rfc9421({ keys: { 'key-1': { alg, publicKey } } })
      const message = { rawBody: Buffer.from('{}'), url: 'https://hooks.example.com/a', nowMs }
      const request = signed(source, { ...message, privateKey })
      expect(verify(source, request, nowMs)).toEqual({ ok: true })
      expect(verify(source, { ...request, url: 'https://hooks.example.com/b' }, nowMs).ok).toBe(false)
      expect(() => sign(source, message)).toThrow('privateKey')
    },
  )

  it.each([
    [adyen({ secret: 'ab'.repeat(32) }), 'use signedRequest'],
    [microsoftGraph({ secret: 'client state' }), 'use signedRequest'],
    [azureEventGrid({ secret: 'token' }), 'use signedRequest'],
    [awsSns({ fetch: true }), 'holds no key'],
    [plaid({ jwks: { keys: [jwk] } }), 'holds no key'],
    [telnyx({ publicKey: jwk.x }), 'give privateKey'],
    [twilio({ secret: 'ab'.repeat(16) }), 'put the url and the headers into the message, content-type too'],
  ])('says what it cannot sign, and what to do', (source, why) => {
    const message = { rawBody: Buffer.from(bodyOf(source.preset.provider)), nowMs }
    const call = (): unknown => sign(source, message)
    expect(call).toThrow(why)
    expect(code(call)).toBe('ERR_SIGN_UNABLE')
  })
})

const code = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('keys', () => {
  /** Two events of one sender that differ in what it says makes them different. */
  it.each(sealing.filter(({ preset }) => preset.key))(
    'tell two events of $provider apart',
    ({ preset, source }) => {
      const key = [preset.key].flat()
      const event = (n: string) => {
        const headers: Record<string, string> = {
          'webhook-id': n,
          'svix-id': n,
          'twitch-eventsub-message-id': n,
        }
        const payload: Record<string, unknown> = {}
        for (const place of key) {
          if (place && 'header' in place) headers[place.header] = n
          if (place && 'body' in place) set(payload, place.body.split('.'), n)
        }
        const request = {
          method: 'POST',
          url: '/',
          headers: RequestHeaders.from(headers),
          rawBody: Buffer.alloc(0),
        }
        return describeEvent({ ...source, payload: () => payload }, request, () => payload).key
      }
      expect(event('1')).toBeDefined()
      expect(event('1')).toBe(event('1'))
      expect(event('1')).not.toBe(event('2'))
    },
  )

  function set(into: Record<string, unknown>, [name = '', ...rest]: string[], value: unknown): void {
    if (rest.length === 0) into[name] = value
    else set((into[name] ??= {}) as Record<string, unknown>, rest, value)
  }
})

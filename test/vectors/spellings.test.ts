import { optionsOf, presetOf, type Vector } from './run.ts'

const settings = (provider: string, of: Partial<Vector>): object =>
  optionsOf(presetOf(provider)!, { headers: {}, ...of } as Vector)

it.each<[string, Partial<Vector>, object]>([
  ['calendly', { config: { signingKey: 'a' } }, { secret: 'a' }],
  ['qstash', { config: { currentSigningKey: 'a', nextSigningKey: 'b' } }, { secret: ['a', 'b'] }],
  ['livekit', { config: { apiKey: 'a', apiSecret: 'b' } }, { apiKey: 'a', secret: 'b' }],
  ['livekit', { secret: 'b', config: { issuer: 'a' } }, { apiKey: 'a', secret: 'b' }],
  ['dropbox-sign', { config: { apiKey: 'a' } }, { secret: 'a' }],
  ['braintree', { secret: 'a', publicKey: 'b' }, { privateKey: 'a', publicKey: 'b' }],
  ['braintree', { config: { privateKey: 'a', publicKey: 'b', merchantId: 'c' } }, { privateKey: 'a', publicKey: 'b' }],
  ['hubspot', { secret: 'a', config: { version: 'V2' } }, { secret: 'a', version: 'v2' }],
  ['mandrill', { secret: 'a', config: { webhookUrl: 'https://a.example' } }, { secret: 'a', publicUrl: 'https://a.example' }],
  ['stripe', { secrets: ['a', 'b'], config: { tolerance: 60 } }, { secret: ['a', 'b'], tolerance: '60s' }],
  ['microsoft-graph', { secret: 'a', jwks: '{"keys":[]}', config: { appId: 'b' } }, { secret: 'a', jwks: { keys: [] }, audience: 'b' }],
  ['plaid', { jwks: [{ kty: 'EC' }] }, { jwks: { keys: [{ kty: 'EC' }] } }],
  ['plaid', { jwks: { 'key-1': { kty: 'EC' } } }, { jwks: { keys: [{ kid: 'key-1', kty: 'EC' }] } }],
  ['truelayer', { certificates: { 'key-1': 'a' } }, { publicKey: ['a'] }],
  ['truelayer', { config: { publicKeyPem: 'a' } }, { publicKey: 'a' }],
  ['telnyx', { config: { public_key: 'a' } }, { publicKey: 'a' }],
  ['plivo', { config: { auth_token: 'a' } }, { secret: 'a' }],
  ['okta', { config: { authenticationField: 'X-Key', authenticationSecret: 'a' } }, { header: 'X-Key', secret: 'a' }],
])('takes the settings of %s from %j', (provider, of, options) => {
  expect(settings(provider, of)).toEqual(options)
})

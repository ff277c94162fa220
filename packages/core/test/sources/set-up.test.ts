import { SetupError } from '@trigger-hub/core'
import * as sources from '@trigger-hub/core/sources'

const secret = 'correct horse battery'
const keys = { mine: { alg: 'hmac-sha256', secretBase64: 'c2VjcmV0IG9mIG1pbmU=' } } as const
const makes = Object.entries(sources).filter(([, make]) => typeof make === 'function') as [
  string,
  (options: unknown) => unknown,
][]

const code = (run: () => unknown): unknown => {
  try {
    run()
    return 'fine'
  } catch (error) {
    return error instanceof SetupError ? error.code : error
  }
}

test.each(makes)('%s wants its options in an object', (_, make) => {
  for (const options of [undefined, null, 5, secret, [secret], () => secret]) {
    expect(code(() => make(options))).toBe('ERR_OPTION_INVALID')
  }
})

const byUrl = ['hubspot', 'mandrill', 'messagebird', 'plivo', 'qstash', 'square', 'trello', 'twilio'] as const

test.each(byUrl)('%s takes no public URL that could never be the signed one', (name) => {
  const given = (publicUrl: unknown) => code(() => sources[name]({ secret, publicUrl } as never))
  for (const url of [null, '', 5, 'hooks.example.com', '/webhooks', 'https://'])
    expect(given(url)).toBe('ERR_OPTION_INVALID')
  expect(given('https://hooks.example.com')).toBe('fine')
  expect(given(undefined)).toBe('fine')
})

test.each<[string, (value: never) => unknown, readonly unknown[], unknown]>([
  ['fetch of truelayer', (fetch) => sources.truelayer({ fetch }), ['true', 1, {}], true],
  ['fetch of paypal', (fetch) => sources.paypal({ webhookId: '1', fetch }), ['true', 1, null], true],
  [
    'confirm of awsSns',
    (confirm) => sources.awsSns({ fetch: true, topicArn: 'arn:a', confirm }),
    ['true', 1],
    true,
  ],
  ['header of okta', (header) => sources.okta({ secret, header }), [null, 5, '', 'a b'], 'X-Secret'],
  ['apiKey of livekit', (apiKey) => sources.livekit({ secret, apiKey }), [null, 5, ''], 'key'],
  ['apiKey of vonage', (apiKey) => sources.vonage({ secret, apiKey }), [null, 5, ''], 'key'],
  ['version of hubspot', (version) => sources.hubspot({ secret, version }), [null, 3, 'v4'], 'v2'],
  ['version of plivo', (version) => sources.plivo({ secret, version }), [null, 3, 'v1'], 'v2'],
  [
    'algorithm of cloudinary',
    (algorithm) => sources.cloudinary({ secret, algorithm }),
    [null, 'md5'],
    'sha256',
  ],
  ['onSecret of asana', (onSecret) => sources.asana({ secret, onSecret }), [null, 'log'], () => undefined],
  ['onSecret of notion', (onSecret) => sources.notion({ secret, onSecret }), [null, 'log'], () => undefined],
  [
    'allowedOrigins of azureEventGrid',
    (allowedOrigins) => sources.azureEventGrid({ secret, allowedOrigins }),
    [null, 'example.com'],
    ['example.com'],
  ],
  [
    'basePath of atlassianConnect',
    (basePath) => sources.atlassianConnect({ secret, clientKey: 'key', basePath }),
    [null, 5, 'app'],
    '/app',
  ],
  [
    'audience of microsoftGraph',
    (audience) => sources.microsoftGraph({ secret, fetch: true, audience }),
    [null, 5, ''],
    'app',
  ],
  ['maxAge of rfc9421', (maxAge) => sources.rfc9421({ keys, maxAge }), [null, NaN, 0, -1], 60],
  [
    'requiredComponents of rfc9421',
    (requiredComponents) => sources.rfc9421({ keys, requiredComponents }),
    [null, '@method', [null]],
    ['@method'],
  ],
  [
    'requiredParams of rfc9421',
    (requiredParams) => sources.rfc9421({ keys, requiredParams }),
    [null, 'created', ['']],
    ['created'],
  ],
])('refuses a wrong %s', (_, make, wrong, right) => {
  for (const value of wrong) expect(code(() => make(value as never))).toBe('ERR_OPTION_INVALID')
  expect(code(() => make(right as never))).toBe('fine')
})

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { RequestHeaders, verify, type SignedRequest, type Source } from '@trigger-hub/core/verify'
import { optionsOf, presetOf, vectorFiles, type Vector } from '../../../../test/vectors/run.ts'

/**
 * Valid requests of every sender with keys, changed at one place or more. A change of what is signed must be refused,
 * and no change may make the verifier throw. `MUTATIONS` is how many, `SEED` which.
 */
const mutations = Number(process.env.MUTATIONS ?? 20_000)
const seed = Number(process.env.SEED ?? 20_260_101)

interface Sample {
  provider: string
  vector: Vector
  source: Source
  headers: [string, string][]
  body: Buffer
}

const samples = vectorFiles(join(__dirname, '../../../../test/vectors')).flatMap(
  ({ provider, vectors }): Sample[] => {
    const preset = presetOf(provider)!
    return vectors
      .filter(({ expect, latitude }) => expect === 'valid' && !latitude)
      .slice(0, 8)
      .map((vector) => ({
        provider,
        vector,
        source: preset(optionsOf(preset, vector)),
        headers: Object.entries(vector.headers).flatMap(([name, value]) =>
          [value].flat().map((one): [string, string] => [name, one]),
        ),
        body: Buffer.from(vector.bodyBase64, 'base64'),
      }))
  },
)

/** How a text is changed; none gives back the same text. */
type Edit = (text: string) => string

const edit = (alphabet: fc.Arbitrary<string>): fc.Arbitrary<Edit> =>
  fc.oneof(
    fc.tuple(fc.nat(), alphabet).map(([at, sign]): Edit => (text) => {
      const i = text.length === 0 ? 0 : at % text.length
      return text.slice(0, i) + sign + text.slice(i + 1)
    }),
    fc.tuple(fc.nat(), alphabet).map(([at, sign]): Edit => (text) => {
      const i = at % (text.length + 1)
      return text.slice(0, i) + sign + text.slice(i)
    }),
    fc.nat().map(
      (at): Edit =>
        (text) =>
          text.slice(0, at % (text.length || 1)) + text.slice((at % (text.length || 1)) + 1),
    ),
    fc.nat().map(
      (at): Edit =>
        (text) =>
          text.slice(0, at % (text.length || 1)),
    ),
    fc.constant<Edit>((text) => text.toUpperCase()),
    fc.constant<Edit>((text) => text + text),
    fc.constant<Edit>((text) => `${text}, ${text}`),
    fc.constant<Edit>((text) => ` ${text}`),
    fc.constant<Edit>((text) => `${text}=`),
    fc.constant<Edit>(() => ''),
    fc.string({ maxLength: 200 }).map(
      (text): Edit =>
        () =>
          text,
    ),
  )

const sign = fc.oneof(
  fc.constantFrom(...'0aAfF9+/-_=.,;:v1t \t\0"\\{}é\u0131\u2028'),
  fc.string({ unit: 'binary', maxLength: 2 }),
)

type Mutation =
  | { at: 'body'; edit: Edit; bytes: number }
  | { at: 'header'; which: number; edit: Edit }
  | { at: 'name'; which: number }
  | { at: 'duplicate'; which: number; edit: Edit }
  | { at: 'drop'; which: number }
  | { at: 'method' | 'url'; edit: Edit }
  | { at: 'clock'; seconds: number }

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ at: fc.constant('body' as const), edit: edit(sign), bytes: fc.nat() }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ at: fc.constant('header' as const), which: fc.nat(), edit: edit(sign) }),
  },
  fc.record({ at: fc.constant('name' as const), which: fc.nat() }),
  {
    weight: 2,
    arbitrary: fc.record({ at: fc.constant('duplicate' as const), which: fc.nat(), edit: edit(sign) }),
  },
  { weight: 2, arbitrary: fc.record({ at: fc.constant('drop' as const), which: fc.nat() }) },
  fc.record({ at: fc.constantFrom('method' as const, 'url' as const), edit: edit(sign) }),
  fc.record({ at: fc.constant('clock' as const), seconds: fc.integer({ min: -4e9, max: 4e9 }) }),
)

function mutated(sample: Sample, mutations: readonly Mutation[]): { request: SignedRequest; nowMs: number } {
  const headers = sample.headers.map(([name, value]): [string, string] => [name, value])
  let { body } = sample
  let { method, url } = sample.vector
  let nowMs = sample.vector.now * 1_000
  for (const one of mutations) {
    const line = 'which' in one && headers.length > 0 ? one.which % headers.length : -1
    const [name, value] = headers[line] ?? ['', '']
    if (one.at === 'body') body = Buffer.from(one.edit(body.toString('latin1')), 'latin1')
    else if (one.at === 'method') method = one.edit(method)
    else if (one.at === 'url') url = one.edit(url)
    else if (one.at === 'clock') nowMs += one.seconds * 1_000
    else if (line === -1) continue
    else if (one.at === 'header') headers[line] = [name, one.edit(value)]
    else if (one.at === 'name') headers[line] = [`x-${name}`, value]
    else if (one.at === 'drop') headers.splice(line, 1)
    else headers.push([name.toUpperCase(), one.edit(value)])
  }
  return { request: { method, url, headers: new RequestHeaders(headers.flat()), rawBody: body }, nowMs }
}

/** What a sender's signature covers, as values: a request may be accepted only if these are those of the original. */
function covered({ provider, source, vector }: Sample, request: SignedRequest): string {
  const { scheme } = source.preset
  const hash = createHash('sha256')
  const body = (): string => request.rawBody.toString('latin1')
  const all = (name: string): string => JSON.stringify(request.headers.all(name))
  const own = ownCover[provider]
  if (own) return own(request, vector)
  if (scheme.kind === 'token') {
    const { token } = scheme
    return 'header' in token ? all(token.header) : 'query' in token ? request.url : body()
  }
  if (scheme.kind === 'jwt') return `${scheme.bodyHash ? body() : ''}`
  if (scheme.kind === 'own') return ''
  const parts = [scheme.signed.includes('ody') ? body() : '']
  if (scheme.id) parts.push(all(scheme.id))
  if (scheme.timestamp?.header) parts.push(all(scheme.timestamp.header))
  if (scheme.signed.includes('{method}')) parts.push(request.method)
  if (scheme.signed.includes('{url}')) parts.push(request.url)
  return hash.update(JSON.stringify(parts)).digest('hex')
}

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((of, name) => (of as Record<string, unknown> | undefined)?.[name], value)

const parsed = (request: SignedRequest): unknown => {
  try {
    return JSON.parse(request.rawBody.toString())
  } catch {
    return undefined
  }
}

/** Names and values with nothing between them, which is how they are signed: a boundary that moves is not noticed. */
const joined = (request: SignedRequest): string =>
  [...new URLSearchParams(request.rawBody.toString())]
    .map(([name, value]) => name + value)
    .sort()
    .join('')

/** Senders that sign values rather than bytes, or that may be read in two ways. */
const ownCover: Record<string, (request: SignedRequest, vector: Vector) => string> = {
  adyen: (request) => {
    const items = at(parsed(request), 'notificationItems') as unknown[]
    const fields = [
      'pspReference',
      'merchantAccountCode',
      'merchantReference',
      'amount',
      'eventCode',
      'success',
    ]
    return JSON.stringify(
      items.map((item) => fields.map((name) => at(item, 'NotificationRequestItem', name))),
    )
  },
  'aws-sns': (request) => {
    const body = parsed(request)
    return JSON.stringify(
      ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'].map((name) => at(body, name)),
    )
  },
  mailgun: (request) => {
    const type = request.headers.get('content-type') ?? ''
    const form = new URLSearchParams(request.rawBody.toString())
    const of = /form/i.test(type) ? Object.fromEntries(form) : at(parsed(request), 'signature')
    return JSON.stringify([at(of, 'timestamp'), at(of, 'token')])
  },
  'microsoft-graph': (request) => {
    const items = at(parsed(request), 'value') as unknown[]
    return JSON.stringify([...new Set(items.map((item) => at(item, 'clientState')))])
  },
  twilio: (request) => {
    const fields = [...new URLSearchParams(request.rawBody.toString())].map(([a, b]) => a + b)
    const form = /form-urlencoded/i.test(request.headers.get('content-type') ?? '')
    return JSON.stringify([
      request.url.replace(/^(https?:\/\/[^/?#:]*):\d+/i, '$1'),
      form ? [...new Set(fields)].sort().join('') : request.rawBody.toString('latin1'),
    ])
  },
  'atlassian-connect': (request) => request.method.toUpperCase(),
  braintree: (request) => {
    const fields = new URLSearchParams(request.rawBody.toString())
    return (fields.get('bt_payload') ?? '').replace(/\n$/, '')
  },
  'dropbox-sign': (request) => {
    const body = request.rawBody.toString()
    const text = new URLSearchParams(body).get('json') ?? body
    const value = (name: string) => new RegExp(`"${name}"\\s*:\\s*"([^"]*)"`).exec(text)?.[1]
    return JSON.stringify([value('event_time'), value('event_type')])
  },
  truelayer: (request) =>
    JSON.stringify([
      request.method.toUpperCase(),
      request.url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/\/?(?:[?#].*)?$/s, ''),
      request.rawBody.toString('latin1'),
    ]),
  vonage: (request) =>
    request.rawBody.toString('latin1') + (request.rawBody.length === 0 ? request.url.split('?')[1] : ''),
  messagebird: (request) => request.url + request.rawBody.toString('latin1'),
  mandrill: (request) => request.url + joined(request),
  plivo: (request) => request.url.replace(/[?#].*/s, '') + joined(request),
  qstash: (request) => request.url + request.rawBody.toString('latin1'),
  easypost: (request) =>
    request.rawBody.toString('latin1').replace(/("weight":\s*\d+)(?:\.0)?(?=\s*[,}])/g, '$1'),
  box: (request) =>
    JSON.stringify([request.rawBody.toString('latin1'), request.headers.all('box-delivery-timestamp')]),
  rfc9421: (request) => {
    const input = request.headers.get('signature-input') ?? ''
    const parts = [
      input.trim(),
      input.includes('@method') ? request.method : '',
      input.includes('content-digest') ? request.rawBody.toString('latin1') : '',
      // white space around a field's value is not signed, RFC 9421 §2.1
      input.includes('"date"') ? request.headers.get('date')?.trim() : '',
    ]
    return JSON.stringify(parts)
  },
  paypal: (request) =>
    JSON.stringify([request.rawBody.toString('latin1'), request.headers.all('paypal-transmission-id')]),
}

it(`refuses ${mutations} changed requests of ${new Set(samples.map(({ provider }) => provider)).size} senders, and never throws`, () => {
  let accepted = 0
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (index, changes) => {
        const sample = samples[index]!
        const { request, nowMs } = mutated(sample, changes)
        // through the source itself: verify() would turn an exception into a refusal
        const checked = sample.source.check(request, nowMs)
        expect(verify(sample.source, request, nowMs).ok).toBe(
          checked.ok && verify(sample.source, request, nowMs).ok,
        )
        if (!checked.ok) {
          expect(checked.code).toMatch(/^ERR_(SIGNATURE|TIMESTAMP)_/)
          return
        }
        accepted++
        const original = mutated(sample, [])
        expect(covered(sample, request)).toBe(covered(sample, original.request))
      },
    ),
    { numRuns: mutations, seed },
  )
  // changes of what is not signed are accepted, so the run has looked at good signatures too
  expect(accepted).toBeGreaterThan(mutations / 100)
}, 600_000)

it('refuses a good signature under every other secret', () => {
  const others = samples.filter(({ vector }) => vector.secret !== undefined)
  // a secret may be written in two ways: with and without its prefix, hex in either case
  const plain = ({ vector }: Sample): string => (vector.secret ?? '').replace('whsec_', '').toLowerCase()
  for (const sample of others) {
    const preset = presetOf(sample.provider)!
    for (const other of others) {
      if (plain(other) === plain(sample) || other.provider !== sample.provider) continue
      if (sample.vector.config?.secretEncoding === 'hex') continue // not every text is hex
      const source = preset({ ...optionsOf(preset, sample.vector), secret: other.vector.secret })
      const { request, nowMs } = mutated(sample, [])
      expect(source.check(request, nowMs).ok).toBe(false)
    }
  }
})

it('takes time in proportion to the input, whatever it is full of', () => {
  const one = (
    source: Source,
    vector: Vector,
    header: string | undefined,
    filling: string,
    length: number,
  ): number => {
    const text = filling.repeat(Math.ceil(length / filling.length))
    const lines = Object.entries(vector.headers).map(([name, value]) => [
      name,
      name === header ? text : [value].flat()[0]!,
    ])
    const request = {
      method: vector.method,
      url: header === undefined ? `${vector.url}?${text}` : vector.url,
      headers: new RequestHeaders(lines.flat()),
      rawBody: Buffer.from(text),
    }
    const begun = process.cpuUsage() // of this process, as others use the machine
    verify(source, request, vector.now * 1_000)
    return process.cpuUsage(begun).user / 1_000
  }
  const fillings = [
    'a',
    ' ',
    ',',
    ';',
    '=',
    '"',
    '\\',
    '.',
    '%',
    '(',
    ':',
    'v1=,',
    '"weight":1 ',
    '{"a":',
    '["',
    '\t,',
    '--b\r\n',
    '&a',
  ]
  const slow: string[] = []
  const firsts = samples.filter(({ provider }, index) => samples[index - 1]?.provider !== provider)
  for (const { provider, source, vector } of firsts) {
    const { scheme } = source.preset
    const names = 'signature' in scheme ? [scheme.signature.header] : Object.keys(vector.headers).slice(0, 4)
    for (const header of [undefined, ...names]) {
      for (const filling of fillings) {
        // 32 kB takes a few milliseconds; what is quadratic takes a second. The better of two, for the first one compiles
        if (one(source, vector, header, filling, 32_768) < 150) continue
        if (one(source, vector, header, filling, 32_768) >= 150)
          slow.push(`${provider}, ${header}: ${filling}`)
      }
    }
  }
  expect(slow).toEqual([])
}, 120_000)

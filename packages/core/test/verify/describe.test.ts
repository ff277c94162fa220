import { github, hmac, mandrill, shopify, standardWebhooks, stripe, svix } from '@trigger-hub/core/sources'
import { describe as describeEvent, eventType, RequestHeaders, type Source } from '@trigger-hub/core/verify'

const whsec = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const described = (source: Source, headers: Record<string, string>, payload: unknown = {}) =>
  describeEvent(
    source,
    { method: 'POST', url: '/', headers: RequestHeaders.from(headers), rawBody: Buffer.alloc(0) },
    () => payload,
  )

describe('describe', () => {
  it('reads id and type from headers, and appends the action of GitHub', () => {
    const headers = {
      'X-GitHub-Event': 'issues',
      'X-GitHub-Delivery': 'd-1',
      'X-Hub-Signature-256': 'sha256=…',
    }
    expect(described(github({ secret: 's1' }), headers, { action: 'opened' })).toEqual({
      key: 'd-1',
      keySigned: false,
      rawType: 'issues.opened',
      headers: { 'x-github-event': 'issues', 'x-github-delivery': 'd-1' },
    })
    expect(described(github({ secret: 's1' }), headers).rawType).toBe('issues')
  })

  it('reads id and type from the payload', () => {
    expect(described(stripe({ secret: 's1' }), {}, { id: 'evt_1', type: 'charge.failed' })).toMatchObject({
      key: 'evt_1',
      keySigned: true,
      rawType: 'charge.failed',
    })
  })

  it.each([
    ['{"id":9007199254740991}', true],
    ['{"id":9007199254740993}', false],
    ['{"id":-9007199254740993}', false],
    ['{"id":1e400}', false],
    ['{"id":"9007199254740993"}', true],
  ])('lets the id of %s tell a repeat by itself: %s', (body, keySigned) => {
    expect(described(stripe({ secret: 's1' }), {}, JSON.parse(body))).toMatchObject({ keySigned })
  })

  it('does not parse the payload of a sender that writes both into headers', () => {
    const parse = jest.fn()
    const headers = RequestHeaders.from({ 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w-1' })
    const request = { method: 'POST', url: '/', headers, rawBody: Buffer.alloc(0) }
    expect(describeEvent(shopify({ secret: 's1' }), request, parse)).toMatchObject({
      key: 'w-1',
      rawType: 'orders/create',
    })
    expect(parse).not.toHaveBeenCalled()
  })

  it('unwraps the payload of a sender once, however many of its fields make up id and type', () => {
    const source = mandrill({ secret: 's1', publicUrl: 'https://app.example/hooks' })
    const events = [{ _id: 'm-1', ts: 1, event: 'open' }]
    const headers = RequestHeaders.from({ 'content-type': 'application/x-www-form-urlencoded' })
    const rawBody = Buffer.from(new URLSearchParams({ mandrill_events: JSON.stringify(events) }).toString())
    const payload = jest.fn(source.payload)
    const request = { method: 'POST', url: '/', headers, rawBody }
    expect(describeEvent({ ...source, payload }, request, jest.fn())).toMatchObject({
      key: 'm-1:open:1',
      rawType: 'open',
    })
    expect(payload).toHaveBeenCalledTimes(1)
  })

  it('takes as the key the id that the signature covered, not one of another family of headers', () => {
    const source = svix({ secret: whsec })
    const unbranded = { 'webhook-id': 'm-1', 'webhook-signature': 'v1,…', 'svix-id': 'forged' }
    expect(described(source, unbranded).key).toBe('m-1')
    expect(described(source, { ...unbranded, 'svix-signature': 'v1,…', 'svix-id': 'm-2' }).key).toBe('m-2')
  })

  it('says "unknown" and gives no key when there is none', () => {
    expect(described(hmac({ secret: 's1' }), {})).toEqual({
      keySigned: false,
      rawType: 'unknown',
      headers: {},
    })
    expect(described(stripe({ secret: 's1' }), {}, { id: '', type: { a: 1 } })).toMatchObject({
      rawType: 'unknown',
    })
  })

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    Buffer.from('x'),
    JSON.parse('{"__proto__":{"type":"forged","id":"forged"}}'),
  ])('reads own properties alone, and survives the payload %j', (payload) => {
    const { key, rawType } = described(standardWebhooks({ secret: whsec }), {}, payload)
    expect({ key, rawType }).toEqual({ key: undefined, rawType: 'unknown' })
  })

  it('survives a payload that cannot be parsed', () => {
    const request = { method: 'POST', url: '/', headers: RequestHeaders.from({}), rawBody: Buffer.alloc(0) }
    const parse = (): never => {
      throw new SyntaxError('not JSON')
    }
    expect(describeEvent(stripe({ secret: 's1' }), request, parse)).toMatchObject({ rawType: 'unknown' })
  })
})

describe('eventType', () => {
  it.each([
    ['orders/create', 'orders.create'],
    ['jira:issue_updated', 'jira.issue_updated'],
    ['issues.opened', 'issues.opened'],
    ['Push Hook', 'Push-Hook'],
    ['transfers#state-change', 'transfers#state-change'],
    ['a..b//c:', 'a.b.c'],
    ['.', 'unknown'],
    ['', 'unknown'],
    ['a.*.b', 'a.-.b'],
    ['tab\there\u0000', 'tab-here-'],
    ['über.größe', 'über.größe'],
  ])('writes %j as %j', (rawType, type) => expect(eventType(rawType)).toBe(type))

  it('ends at 200 bytes, at a whole segment and a whole character', () => {
    expect(eventType(`${'a'.repeat(150)}.${'b'.repeat(100)}`)).toBe('a'.repeat(150))
    expect(eventType('é'.repeat(150))).toBe('é'.repeat(100))
    expect(Buffer.byteLength(eventType('\ud800'.repeat(150)))).toBeLessThanOrEqual(200)
  })
})

import {
  SetupError,
  TriggerHub,
  compose,
  createListener,
  enqueue,
  idempotency,
  retry,
  verifySignature,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { github, hmac } from '@trigger-hub/core/sources'

const shop = hmac({ secret: 'correct horse battery' })
const nothing = () => undefined

const hub = (options: object = {}) =>
  new TriggerHub({
    driver: memory(),
    sources: { shop },
    allowVolatile: true,
    ...options,
  })
const withBot = (options: object, name = 'crm', handler: unknown = nothing) =>
  hub().bot(name, { on: 'shop:**', ...options }, handler as typeof nothing)

const codeAndMessage = (run: () => unknown): [string, string] => {
  try {
    run()
  } catch (error) {
    if (error instanceof SetupError) return [error.code, error.message]
    throw error
  }
  throw new Error('It threw nothing.')
}

test.each<[string, () => unknown, string, RegExp]>([
  [
    'a misspelt option',
    () => hub({ drivr: 1 }),
    'ERR_OPTION_UNKNOWN',
    /TriggerHub has no option "drivr". It takes: acceptTimeout, ack,/,
  ],
  [
    'no options',
    () => new TriggerHub(null as never),
    'ERR_OPTION_INVALID',
    /in an object, not null. It takes: /,
  ],
  ['a bad duration', () => hub({ acceptTimeout: 'soon' }), 'ERR_OPTION_INVALID', /"acceptTimeout" is "soon"/],
  ['a bad size', () => hub({ limit: '1 MB' }), 'ERR_OPTION_INVALID', /"limit" is "1 MB".*'64kb'/],
  [
    'a driver that was not called',
    () => hub({ driver: memory }),
    'ERR_OPTION_INVALID',
    /"driver" is no driver/,
  ],
  ['a driver to come', () => hub({ driver: Promise.resolve(memory()) }), 'ERR_OPTION_INVALID', /"driver"/],
  ['a driver that is null', () => hub({ driver: null }), 'ERR_OPTION_INVALID', /what embedded\(\) or redis/],
  ['a store that is none', () => hub({ store: {} }), 'ERR_OPTION_INVALID', /"store" is no store/],
  [
    'a log that is no function',
    () => hub({ log: console }),
    'ERR_OPTION_INVALID',
    /"log" is an object: use a function, such as \(record\) =>/,
  ],
  [
    'sources in a list',
    () => hub({ sources: [shop] }),
    'ERR_OPTION_INVALID',
    /"sources" is a list: use an object with at least one source, by name/,
  ],
  ['no source at all', () => hub({ sources: {} }), 'ERR_OPTION_INVALID', /or leave it out/],
  ['a truth in words', () => hub({ signals: 'false' }), 'ERR_OPTION_INVALID', /use true or false/],
  ['an accept without time', () => hub({ acceptTimeout: 0 }), 'ERR_OPTION_INVALID', /at least '1ms'/],
  ['no memory of keys', () => hub({ keepKeys: '0s' }), 'ERR_OPTION_INVALID', /at least '1ms'/],
  ['no ack', () => hub({ ack: null }), 'ERR_OPTION_INVALID', /"ack" is null: use 'durable', 'immediate',/],
  ['an unknown ack', () => hub({ ack: 'later' }), 'ERR_OPTION_INVALID', /"ack" is "later": use 'durable' or/],
  ['an ack for no source', () => hub({ ack: { till: 'sync' } }), 'ERR_SOURCE_UNKNOWN', /"till"/],
  ['an ack status that is no 2xx', () => hub({ ackStatus: 302 }), 'ERR_OPTION_INVALID', /200 to 299/],
  [
    'a source that is none',
    () => hub({ sources: { shop: { secret: 'x' } } }),
    'ERR_OPTION_INVALID',
    /use a preset/,
  ],
  [
    'a source whose name fits no URL',
    () => hub({ sources: { 'my shop': shop } }),
    'ERR_OPTION_INVALID',
    /"my shop"/,
  ],
  [
    'an endpoint without a source',
    () => hub({ sources: undefined, endpoint: '/in' }),
    'ERR_OPTION_INVALID',
    /go together/,
  ],
  [
    'an endpoint that is no path',
    () => hub({ sources: undefined, endpoint: 'in', source: shop }),
    'ERR_OPTION_INVALID',
    /"endpoint" is "in": use a path, such as '\/webhooks\/orders'/,
  ],
  [
    'a bot for an unknown source',
    () => withBot({ on: 'till:**' }),
    'ERR_SOURCE_UNKNOWN',
    /"till:\*\*", but the sources are: shop/,
  ],
  [
    'a bot with a bad pattern',
    () => withBot({ on: 'shop' }),
    'ERR_BOT_INVALID',
    /^Bot "crm": "shop" is not a pattern/,
  ],
  [
    "a pattern in the sender's spelling",
    () => withBot({ on: ['shop:**', 'shop:orders/*:paid'] }),
    'ERR_BOT_INVALID',
    /"shop:orders\/\*:paid", but types are dotted: write "shop:orders.\*.paid"/,
  ],
  [
    'a schema that is none',
    () => withBot({ schema: { type: 'object' } }),
    'ERR_OPTION_INVALID',
    /"schema" is no Standard Schema/,
  ],
  ['a bot that hears nothing', () => withBot({ on: [] }), 'ERR_BOT_INVALID', /hears nothing/],
  ['a bot without a pattern', () => withBot({ on: undefined }), 'ERR_BOT_INVALID', /give "on" a pattern/],
  ['a bot without a handler', () => withBot({}, 'crm', null), 'ERR_BOT_INVALID', /has no handler/],
  ['a bot whose name is none', () => withBot({}, 'my bot'), 'ERR_BOT_INVALID', /"my bot" is not a name/],
  [
    'a bot with a misspelt option',
    () => withBot({ retires: 3 }),
    'ERR_OPTION_UNKNOWN',
    /Bot "crm" has no option "retires"/,
  ],
  [
    'a retry policy that is a number',
    () => withBot({ retry: 5 }),
    'ERR_OPTION_INVALID',
    /retry wants its options in an object, not a number. It takes: base, jitter, max, retries, schedule/,
  ],
  [
    'a secret without its name',
    () => hmac('correct horse battery' as never),
    'ERR_OPTION_INVALID',
    /hmac wants its options in an object, not a string. It takes: .*secret/,
  ],
  [
    'a misspelt option of a retry in the request',
    () => retry({ budgte: '5s' } as never),
    'ERR_OPTION_UNKNOWN',
    /retry has no option "budgte". It takes: base, budget, clock,/,
  ],
  ['a listener for no hub', () => createListener(undefined as never), 'ERR_OPTION_INVALID', /new TriggerHub/],
  [
    'a misspelt option of a listener',
    () => createListener(hub(), { path: '/in' } as never),
    'ERR_OPTION_UNKNOWN',
    /createListener has no option "path". It takes: otherwise, prefix/,
  ],
  [
    'a preset that was not called',
    () => verifySignature(github as never),
    'ERR_OPTION_INVALID',
    /is not a source: use a preset, such as github\(\{ secret \}\)/,
  ],
  [
    'a queue that is none',
    () => enqueue({} as never),
    'ERR_OPTION_INVALID',
    /enqueue wants a hub, or an async/,
  ],
  [
    'an unknown answer to a store out of reach',
    () => idempotency({ store: memory(), onStoreError: 'opne' as never }),
    'ERR_OPTION_INVALID',
    /"onStoreError" is "opne": use 'fail' or 'open'/,
  ],
  [
    'a scope that is no function',
    () => idempotency({ store: memory(), scope: 'tenant' as never }),
    'ERR_OPTION_INVALID',
    /"scope" is "tenant": use a function of the request/,
  ],
  [
    'a guard without options',
    () => idempotency(undefined as never),
    'ERR_OPTION_INVALID',
    /idempotency wants its options in an object, not undefined. It takes: .*store/,
  ],
  [
    'a key beside the header for it',
    () => idempotency({ store: memory(), key: () => undefined, header: 'X-Key' }),
    'ERR_OPTION_INVALID',
    /"key" and "header".*give one/,
  ],
  [
    'a verifier of a source that is not there',
    () => compose(hub().verifier('till') as never),
    'ERR_OPTION_INVALID',
    /"stage" is undefined/,
  ],
  [
    'a tolerance without a timestamp',
    () => hmac({ secret: 'correct horse battery', tolerance: '5m' }),
    'ERR_OPTION_INVALID',
    /"hmac.tolerance" is "5m": use it beside "timestamp"/,
  ],
  [
    'a bot without time',
    () => withBot({ timeout: 0 }),
    'ERR_OPTION_INVALID',
    /"crm.timeout" is 0: use at least '1ms'/,
  ],
  [
    'a bot that never runs',
    () => withBot({ concurrency: 0 }),
    'ERR_OPTION_INVALID',
    /"crm.concurrency" is 0: use a whole number from 1/,
  ],
  [
    'two bots of one name',
    () => withBot({}).bot('crm', { on: 'shop:**' }, nothing),
    'ERR_BOT_INVALID',
    /two bots "crm"/,
  ],
])('refuses %s in one line', (_, run, code, message) => {
  const [actual, text] = codeAndMessage(run)
  expect(actual).toBe(code)
  expect(text).toMatch(message)
  expect(text).not.toContain('\n')
})

const startCode = async (made: TriggerHub): Promise<unknown> => {
  const error: unknown = await made.start().catch((caught: unknown) => caught)
  return (error as SetupError | undefined)?.code
}

test('refuses to promise durability on a driver that has none', async () => {
  expect(await startCode(hub({ allowVolatile: false }))).toBe('ERR_NOT_DURABLE')
  expect(await startCode(hub({ allowVolatile: false, ack: 'immediate' }))).toBeUndefined()
})

test("needs exactly one bot where the sender waits for the bot's value", async () => {
  expect(await startCode(hub({ ack: 'sync' }))).toBe('ERR_BOT_INVALID')
  const two = hub({ ack: 'sync' }).bot('a', { on: 'shop:**' }, nothing).bot('b', { on: '*:**' }, nothing)
  expect(await startCode(two)).toBe('ERR_BOT_INVALID')
  expect(await startCode(hub({ ack: 'sync' }).bot('a', { on: 'shop:**' }, nothing))).toBeUndefined()
})

test('takes no bot once it has started', async () => {
  const started = hub()
  await started.start()
  expect(codeAndMessage(() => started.bot('late', { on: 'shop:**' }, nothing))[0]).toBe('ERR_HUB_STARTED')
})

test.each<[string, unknown, string, RegExp]>([
  ['a bare number', 3000, 'ERR_OPTION_INVALID', /listen wants its options in an object, not a number/],
  ['a misspelt port', { prot: 3000 }, 'ERR_OPTION_UNKNOWN', /listen has no option "prot". It takes: host,/],
  ['no port', {}, 'ERR_OPTION_INVALID', /"port" is undefined/],
  [
    'a port that is text',
    { port: '3000' },
    'ERR_OPTION_INVALID',
    /"port" is "3000": .*Number\(process\.env\.PORT\)/,
  ],
  ['a port that is no number', { port: NaN }, 'ERR_OPTION_INVALID', /"port" is NaN/],
  ['a host that is none', { port: 0, host: '' }, 'ERR_OPTION_INVALID', /"host" is ""/],
  ['a prefix that is no path', { port: 0, prefix: 'in' }, 'ERR_OPTION_INVALID', /"prefix" is "in"/],
])('listens nowhere, and opens nothing, for %s', async (_, options, code, message) => {
  const driver = memory()
  const declare = jest.spyOn(driver, 'declare')
  const error: unknown = await hub({ driver })
    .listen(options as never)
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({ name: 'SetupError', code, message: expect.stringMatching(message) as string })
  expect(declare).not.toHaveBeenCalled()
})

test.each(['list', 'redrive', 'discard'] as const)(
  'a misspelt filter means no dead letter, not all of them: %s',
  async (does) => {
    const driver = memory()
    const asked = jest.spyOn(driver.deadLetters, does)
    const { deadLetters } = hub({ driver })
    const code = (filter: object): Promise<unknown> =>
      deadLetters[does](filter).catch((error: unknown) => (error as SetupError).code)
    expect(await code({ bto: 'crm' })).toBe('ERR_OPTION_UNKNOWN')
    for (const filter of [null, [], { bot: null }, { reason: 'old' }, { event: 1 }, { since: NaN }]) {
      expect(await code(filter as never)).toBe('ERR_OPTION_INVALID')
    }
    expect(asked).not.toHaveBeenCalled()
    await code({ bot: 'crm' })
    expect(asked).toHaveBeenCalledTimes(1)
  },
)

test('lists and reads no dead letters but those that can be meant', async () => {
  const { deadLetters } = hub()
  for (const page of [{ limit: 0 }, { limit: NaN }, { limit: 1_001 }, { after: 1 }]) {
    await expect(deadLetters.list(page as never)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  }
  await expect(deadLetters.read(undefined as never)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test.each(['redrive', 'discard'] as const)(
  'a condition that came to nothing does not mean all dead letters: %s',
  async (does) => {
    const driver = memory()
    const asked = jest.spyOn(driver.deadLetters, does)
    const query: { bot?: string } = {} // of a request that names no bot
    await expect(hub({ driver }).deadLetters[does]({ bot: query.bot } as object)).rejects.toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: 'A filter of dead letters has "bot" without a value: leave "bot" out if all are meant.',
    })
    expect(asked).not.toHaveBeenCalled()
  },
)

import { SetupError, TriggerHub, compose, createListener, idempotency } from '@trigger-hub/core'
import { rawBody, retry, verifySignature } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import { embedded } from '@trigger-hub/embedded'
import * as express from '@trigger-hub/express'
import { kafka } from '@trigger-hub/kafka'
import * as koa from '@trigger-hub/koa'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { redis } from '@trigger-hub/redis'

/** What comes of a variable that is not set, a sum that went wrong, a part that was not called, a file that was misread. */
const values = {
  null: null,
  nan: NaN,
  minus: -1,
  zero: 0,
  bigint: 7n,
  true: true,
  false: false,
  empty: '',
  word: 'bogus',
  list: [null],
  object: {},
  function: () => undefined,
}
type Name = keyof typeof values

const secret = 'correct horse battery'
const source = hmac({ secret })
const nothing = (): undefined => undefined
const hub = (): TriggerHub => new TriggerHub({ driver: memory(), allowVolatile: true, log: nothing })

/** A part: what makes it, the options that it needs, and of each option which of the values it takes. */
type Part = [
  name: string,
  make: (options: never) => unknown,
  needs: object,
  options: Record<string, readonly Name[]>,
]

const ofBody: Part[3] = { limit: [], bodyTimeout: [], clock: [] }
const ofRetry: Part[3] = {
  retries: ['zero'],
  schedule: [],
  base: ['zero'],
  max: ['zero'],
  jitter: ['zero'],
}
const ofGuard: Part[3] = {
  ...{ store: [], header: ['word'], key: ['function'], required: ['true', 'false'], scope: ['function'] },
  ...{ fingerprint: ['function'], cache: ['function'], headers: ['word'], replayLimit: ['zero'] },
  ...{ wait: ['zero'], lease: [], ttl: [], storeTimeout: [], onStoreError: [], log: ['function'], ...ofBody },
}

const parts: Part[] = [
  [
    'TriggerHub',
    (options) => new TriggerHub(options),
    {},
    {
      ...{ driver: [], store: [], sources: [], ack: ['object'], ackStatus: [], ...ofBody },
      ...{ acceptTimeout: [], syncTimeout: [], keepKeys: [], onRepeat: [], onReplay: [], onKeyReuse: [] },
      ...{ allowVolatile: ['true', 'false'], signals: ['true', 'false'] },
      ...{ log: ['function'], random: ['function'] },
    },
  ],
  [
    'hub.bot',
    (options) => hub().bot('crm', options, nothing),
    { on: '*:**' },
    { on: [], retry: ['object'], timeout: [], concurrency: [], schema: [] },
  ],
  ['retry', retry, {}, { ...ofRetry, budget: [], clock: [], random: ['function'] }],
  ['rawBody', rawBody, {}, ofBody],
  ['verifySignature', (options) => verifySignature(source, options), {}, { name: ['word'], ...ofBody }],
  ['idempotency', idempotency, { store: memory() }, ofGuard],
  [
    'createListener',
    (options) => createListener(hub(), options),
    {},
    { prefix: ['empty'], otherwise: ['function'] },
  ],
  [
    'hmac',
    hmac,
    { secret },
    {
      ...{ secret: ['word'], tolerance: [], algorithm: [], encoding: [], secretEncoding: [], signed: [] },
      ...{ header: ['word'], key: ['word'], type: ['word'], timestamp: ['word'], prefix: ['word', 'empty'] },
    },
  ],
  ...[express, koa].flatMap((adapter, nth): Part[] => {
    const on = ['Express', 'Koa'][nth]
    return [
      [`rawBody on ${on}`, adapter.rawBody, {}, { ...ofBody, onReject: [] }],
      [
        `verifySignature on ${on}`,
        (options) => adapter.verifySignature(source, options),
        {},
        { name: ['word'], onReject: [] },
      ],
      [`enqueue on ${on}`, (options) => adapter.enqueue(nothing, options), {}, { onReject: [] }],
      [`idempotency on ${on}`, adapter.idempotency, { store: memory() }, { ...ofGuard, onReject: [] }],
      [`retry on ${on}`, (options) => adapter.retry(options, nothing), {}, ofRetry],
      [
        `lift on ${on}`,
        (options) => adapter.lift(rawBody(), options),
        {},
        { onReject: [], log: ['function'] },
      ],
    ]
  }),
  ['memory', memory, {}, { clock: [] }],
  ['embedded', embedded, {}, { path: ['word'], retention: ['zero'], lease: [], clock: [] }],
  [
    'redis',
    (options) => redis('redis://127.0.0.1', options),
    {},
    { prefix: ['word'], lease: [], replicas: ['zero'], clock: [] },
  ],
  [
    'rabbitmq',
    rabbitmq,
    { store: memory() },
    {
      ...{ url: [], connect: ['function'], store: [], prefix: ['word'] },
      ...{ lease: [], management: [], clock: [] },
    },
  ],
  [
    'kafka',
    kafka,
    { store: memory(), brokers: '127.0.0.1:9092' },
    {
      ...{ brokers: [], client: [], ssl: ['true', 'false', 'object'], sasl: [], store: [], prefix: ['word'] },
      ...{ partitions: [], lease: [], clock: [] },
    },
  ],
]

/** What a run threw, if it was one line of a mistake in the set-up; `'fine'` if it threw nothing. */
function outcome(run: () => unknown): string {
  try {
    run()
    return 'fine'
  } catch (error) {
    return error instanceof SetupError && !error.message.includes('\n')
      ? error.code
      : `bare: ${String(error)}`
  }
}

const outcomes = (run: (value: never) => unknown): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(values)) {
    const is = outcome(() => run(value as never))
    ;(found[is.startsWith('ERR_') ? 'refused' : is] ??= []).push(name)
  }
  return found
}

const allBut = (fine: readonly Name[]): Record<string, string[]> => ({
  ...(fine.length > 0 && { fine: Object.keys(values).filter((name) => fine.includes(name as Name)) }),
  refused: Object.keys(values).filter((name) => !fine.includes(name as Name)),
})

describe.each(parts)('%s', (_, make, needs, options) => {
  test.each(Object.entries(options))('refuses every other %s when it is made', (option, fine) => {
    expect(outcomes((value) => make({ ...needs, [option]: value } as never))).toEqual(allBut(fine))
  })

  test('wants its options in an object', () => {
    const isFine = Object.keys(needs).length === 0
    expect(outcomes((value) => make(value))).toEqual(allBut(isFine ? ['object'] : []))
  })
})

test.each<[string, (value: never) => unknown, Name[]]>([
  ['a source of verifySignature', (value) => verifySignature(value), []],
  ['the one source of a hub', (value) => new TriggerHub({ endpoint: '/', source: value }), []],
  ['the endpoint of a hub', (value) => new TriggerHub({ endpoint: value, source }), []],
  ['an ack of one source', (value) => new TriggerHub({ sources: { a: source }, ack: { a: value } }), []],
  ['a stage of compose', (value) => compose(rawBody(), value), ['function']],
  ['a name of a bot', (value) => hub().bot(value, { on: '*:**' }, nothing), ['word']],
  ['a handler of a bot', (value) => hub().bot('crm', { on: '*:**' }, value), ['function']],
  ['a handler to retry on Express', (value) => express.retry({}, value), ['function']],
  ['a handler to retry on Koa', (value) => koa.retry({}, value), ['function']],
  ['a stage to lift on Express', (value) => express.lift(value), ['function']],
  ['a stage to lift on Koa', (value) => koa.lift(value), ['function']],
  ['an app for a server', (value) => express.createServer(value), []],
  ['a server of redis', (value) => redis(value), []],
  ['a mechanism of sasl', (value) => kafka({ ...brokers(), sasl: { mechanism: value } as never }), ['word']],
])('refuses every other value for %s', (_, make, fine) => {
  expect(outcomes(make)).toEqual(allBut(fine))
})

const brokers = () => ({ store: memory(), brokers: '127.0.0.1:9092' })

test('a message tells what was given, but of what may hold a secret only its kind', () => {
  const message = (limit: unknown): string => {
    try {
      rawBody({ limit: limit as never })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(message('1 MB')).toBe(`Option "limit" is "1 MB": use a number or text such as '64kb', '1mb'.`)
  expect(message(NaN)).toContain('"limit" is NaN: ')
  expect(message(0)).toContain(`"limit" is 0: use at least '1b'.`)
  expect(message({ secret })).toContain('"limit" is an object: ')
  expect(message([secret])).toContain('"limit" is a list: ')
  expect(message(() => secret)).toContain('"limit" is a function: ')
})

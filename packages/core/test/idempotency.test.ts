import { fakeClock } from '@trigger-hub/conformance'
import {
  DriverUnavailableError,
  RequestHeaders,
  idempotency,
  type LogRecord,
  type Reply,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { Readable } from 'node:stream'

const ok: Reply = { status: 201, headers: { 'content-type': 'text/plain' }, body: 'done' }

/** A guard over a store in memory, whose `complete` can be changed. */
function guarding(rules: object = {}) {
  const clock = fakeClock()
  const store = memory({ clock })
  const logged: LogRecord[] = []
  const guard = idempotency({
    store,
    clock,
    lease: '60s',
    log: (record) => void logged.push(record),
    ...rules,
  })
  const request = () => ({
    method: 'POST',
    url: '/charges',
    headers: RequestHeaders.from({ 'idempotency-key': 'k' }),
    stream: Readable.from([]),
    parsedBody: { amount: 1 },
    webhook: { verified: false },
  })
  let runs = 0
  const call = () => guard(request(), async () => (runs++, ok))
  return { clock, store, logged, call, runs: () => runs }
}

const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}

test('a reply that the store could not take is sent, and stored when the store is back', async () => {
  const { clock, store, logged, call, runs } = guarding()
  const complete = store.complete.bind(store)
  let isAway = true
  store.complete = async (...args) => {
    if (isAway) throw new DriverUnavailableError('memory', 'off.')
    return complete(...args)
  }
  expect(await call()).toEqual(ok)
  expect(logged.map(({ code }) => code)).toEqual(['WARN_REPLY_NOT_KEPT'])
  await turns()
  clock.advance(10_000)
  await turns()
  await expect(call()).rejects.toMatchObject({ code: 'ERR_KEY_IN_FLIGHT' })
  isAway = false
  clock.advance(10_000)
  await turns()
  expect(await call()).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } })
  expect([runs(), logged.length]).toEqual([1, 1])
})

test('a store that does not answer holds a reply up no longer than storeTimeout', async () => {
  const { clock, store, logged, call } = guarding()
  store.complete = () => new Promise(() => undefined)
  const reply = call()
  await turns()
  clock.advance(500)
  expect(await reply).toEqual(ok)
  expect(logged.map(({ message }) => message)).toEqual([
    'A reply was sent but not stored for repeats: the store is out of reach.',
  ])
})

test('a route does not begin under a lease that ran out before the answer of the store was heard', async () => {
  const { clock, store, call, runs } = guarding()
  const claim = store.claim.bind(store)
  store.claim = async (...args) => {
    const claimed = await claim(...args)
    store.claim = claim
    clock.advance(60_001)
    expect(await claim(...args)).toMatchObject({ is: 'claimed' }) // by another process
    return claimed
  }
  await expect(call()).rejects.toMatchObject({ code: 'ERR_KEY_IN_FLIGHT' })
  expect(runs()).toBe(0)
})

test.each(['key', 'scope', 'fingerprint'])('runs nothing when a "%s" gives a promise', async (option) => {
  const { call, runs } = guarding({ [option]: async () => 'text' })
  await expect(call()).rejects.toMatchObject({
    code: 'ERR_OPTION_INVALID',
    message: `Option "${option}" of idempotency gave a promise: it has to return text.`,
  })
  expect(runs()).toBe(0)
})

test('says at once that a header is no key', () => {
  const options = { store: memory(), key: 'x-order-id' } as unknown as Parameters<typeof idempotency>[0]
  expect(() => idempotency(options)).toThrow(/Option "key" .* for another header there is "header"/)
})

import { randomUUID } from 'node:crypto'
import { fakeClock } from '@trigger-hub/conformance'
import {
  fingerprint,
  type AcceptOptions,
  type Accepted,
  type CompanionStore,
  type EventRecord,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { Inbox, splitAccept, type Published } from '@trigger-hub/core/split'
import { changedCompanion } from '../../packages/conformance/src/broken/companions.ts'
import { anEvent } from '../../packages/conformance/src/driver/trial.ts'
import { eventually } from '../eventually.ts'

const timeoutMs = 500
/** A claim is kept for so long after a publish of unknown outcome. */
const leaseMs = timeoutMs + 1_000

const published: Published = { is: 'published' }

/** A publish that ends when the test says so. */
class Publishing {
  readonly events: EventRecord[] = []
  readonly #ends: ((end: Published | Error) => void)[] = []

  readonly publish = (event: EventRecord): Promise<Published> => {
    this.events.push(event)
    return new Promise((resolve, reject) =>
      this.#ends.push((end) => (end instanceof Error ? reject(end) : resolve(end))),
    )
  }

  /** Ends the oldest that is under way. */
  async end(with_: Published | Error): Promise<void> {
    await eventually(() => this.#ends.length > 0)
    this.#ends.shift()?.(with_)
    await turn()
  }

  async endAll(with_: Published): Promise<void> {
    do await this.end(with_)
    while (this.#ends.length > 0)
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function setting(changes: (sound: CompanionStore) => Partial<CompanionStore> = () => ({})) {
  const clock = fakeClock()
  const sound = memory({ clock })
  const store = changedCompanion(sound, changes)
  const publishing = new Publishing()
  const inbox = new Inbox(sound, { clock, leaseMs: 1_000 })
  const accept = splitAccept(store, publishing.publish, { name: 'test', clock, inbox })
  const event = anEvent()
  const options = (): AcceptOptions => ({
    ...{ key: 'key', fingerprint: fingerprint(event.rawBody), ttlMs: 60_000, token: randomUUID(), timeoutMs },
  })
  return {
    ...{ clock, store, publishing, inbox, event },
    accept: (given: Partial<EventRecord> = {}, more: Partial<AcceptOptions> = {}): Promise<Accepted> =>
      accept({ ...event, id: randomUUID(), ...given }, { ...options(), ...more }),
  }
}

const unavailable = { code: 'ERR_DRIVER_UNAVAILABLE', status: 503 }

test('answers once the broker has confirmed, and not before', async () => {
  const { accept, publishing } = setting()
  let answer: Accepted | undefined
  const accepting = accept({ id: 'a' }).then((accepted) => (answer = accepted))
  for (let nth = 0; nth < 5; nth++) await turn()
  expect(answer).toBeUndefined()
  await publishing.end(published)
  await accepting
  expect(answer).toEqual({ is: 'accepted', id: 'a' })
  expect(await accept()).toEqual({ is: 'duplicate', id: 'a', deadLetters: 0 })
})

test('is busy for a repeat while the confirm is awaited', async () => {
  const { accept, publishing } = setting()
  const first = accept()
  await turn()
  expect(await accept()).toEqual({ is: 'busy', retryAfterMs: leaseMs })
  await publishing.end(published)
  await first
})

test('frees the key at once when the broker refuses', async () => {
  const { accept, publishing } = setting()
  const first = accept()
  await publishing.end({ is: 'refused', reason: 'there is no queue.' })
  await expect(first).rejects.toMatchObject(unavailable)
  await expect(first).rejects.toThrow('there is no queue')
  const second = accept({ id: 'b' })
  await publishing.end(published)
  expect(await second).toEqual({ is: 'accepted', id: 'b' })
})

describe('a publish whose outcome is not known', () => {
  test.each([
    ['no confirm in time', async ({ clock }: ReturnType<typeof setting>) => clock.advance(timeoutMs)],
    [
      'a lost connection',
      async ({ publishing }: ReturnType<typeof setting>) => publishing.end(new Error('gone')),
    ],
  ])('keeps the key after %s, and is published again under the same id', async (_, lose) => {
    const all = setting()
    const { accept, publishing, clock } = all
    const first = accept({ id: 'a' })
    first.catch(() => undefined)
    await turn()
    await lose(all)
    await expect(first).rejects.toMatchObject(unavailable)
    expect((await accept({ id: 'b' })).is).toBe('busy')
    clock.advance(leaseMs)
    const third = accept({ id: 'c' })
    await turn()
    await publishing.endAll(published)
    expect(await third).toEqual({ is: 'accepted', id: 'a' })
    expect(publishing.events.map(({ id }) => id)).toEqual(['a', 'a'])
  })

  test('is completed by a late confirm', async () => {
    const { accept, publishing, clock } = setting()
    const first = accept({ id: 'a' })
    first.catch(() => undefined)
    await turn()
    clock.advance(timeoutMs)
    await expect(first).rejects.toMatchObject(unavailable)
    await publishing.end(published)
    expect(await accept()).toEqual({ is: 'duplicate', id: 'a', deadLetters: 0 })
    expect(publishing.events).toHaveLength(1)
  })

  test('is freed by a late refusal', async () => {
    const { accept, publishing, clock } = setting()
    const first = accept({ id: 'a' })
    first.catch(() => undefined)
    await turn()
    clock.advance(timeoutMs)
    await publishing.end({ is: 'refused', reason: 'returned' })
    const second = accept({ id: 'b' })
    await publishing.end(published)
    expect(await second).toEqual({ is: 'accepted', id: 'b' })
  })
})

test('accepts what the broker has confirmed although the key cannot be completed', async () => {
  const { accept, publishing, clock } = setting(() => ({ complete: () => Promise.reject(new Error('away')) }))
  const first = accept({ id: 'a' })
  await publishing.end(published)
  expect(await first).toEqual({ is: 'accepted', id: 'a' })
  clock.advance(leaseMs)
  const again = accept({ id: 'b' })
  await publishing.end(published)
  expect(await again).toEqual({ is: 'accepted', id: 'a' }) // the copy has the id of the first
})

test('answers in time when the store hangs after the confirm', async () => {
  const { accept, publishing, clock } = setting(() => ({ complete: () => new Promise(() => undefined) }))
  const first = accept({ id: 'a' })
  await publishing.end(published)
  clock.advance(timeoutMs)
  expect(await first).toEqual({ is: 'accepted', id: 'a' })
})

test('answers in time when the store hangs over a repeat, or over another body', async () => {
  const hangs = () => new Promise<never>(() => undefined)
  const { accept, publishing, clock, store } = setting(() => ({ bury: hangs }))
  const first = accept({ id: 'a' })
  await publishing.end(published)
  await first
  const other = accept({ rawBody: Buffer.from('other') }, { fingerprint: 'other' })
  other.catch(() => undefined)
  await turn()
  clock.advance(timeoutMs)
  await expect(other).rejects.toMatchObject(unavailable)
  store.deadLetters.list = hangs
  const repeat = accept()
  repeat.catch(() => undefined)
  await turn()
  clock.advance(timeoutMs)
  await expect(repeat).rejects.toMatchObject(unavailable)
})

test('publishes nothing when the store is out of reach', async () => {
  const { accept, publishing } = setting(() => ({ claim: () => Promise.reject(new Error('away')) }))
  await expect(accept()).rejects.toThrow('away')
  expect(publishing.events).toEqual([])
})

test('keeps another body under a key in quarantine once, however often it comes', async () => {
  const { accept, publishing, store } = setting()
  const first = accept({ id: 'a' })
  await publishing.end(published)
  await first
  for (const id of ['b', 'c']) {
    const rawBody = Buffer.from('other')
    expect((await accept({ id, rawBody }, { fingerprint: fingerprint(rawBody) })).is).toBe('mismatch')
  }
  expect(await store.deadLetters.list()).toHaveLength(1)
})

test('publishes nothing of another body under the key of an event whose outcome is not known', async () => {
  const { accept, publishing, clock, store } = setting()
  const first = accept({ id: 'a' })
  first.catch(() => undefined)
  await turn()
  clock.advance(timeoutMs + leaseMs)
  const other = { id: 'b', rawBody: Buffer.from('other') }
  expect(await accept(other, { fingerprint: fingerprint(other.rawBody) })).toEqual({
    is: 'mismatch',
    id: 'b',
  })
  expect(publishing.events).toHaveLength(1)
  expect(await store.deadLetters.list()).toMatchObject([
    { bot: null, reason: 'key-reused', event: { id: 'b' } },
  ])
})

import assert from 'node:assert/strict'
import type { CompanionStore, DeadLetter, Held, Trace } from '@trigger-hub/core'
import { anEvent } from '../driver/trial.ts'
import type { Cases } from '../runner.ts'
import { hashed, leaseMs, ttlMs, type StoreTrial } from './trial.ts'

type Body = (trial: StoreTrial, store: CompanionStore) => Promise<void>

/** For stores that stand beside a broker. There is nothing to ask of one that does not. */
const companion =
  (body: Body) =>
  async (trial: StoreTrial): Promise<void> => {
    if (isCompanion(trial.store)) await body(trial, trial.store)
  }

const isCompanion = (store: object): store is CompanionStore => 'tally' in store

/** Claims a key that must be free, and leaves a trace. */
async function traced(
  store: CompanionStore,
  note: string,
  { key = 'key', ...trace }: Partial<Trace> & { key?: string } = {},
): Promise<{ held: Held; before: readonly string[] }> {
  const claim = await store.claim(hashed(key), 'same', {
    leaseMs,
    timeoutMs: 5_000,
    trace: { note, keepMs: ttlMs, ...trace },
  })
  if (claim.is !== 'claimed') throw new Error(`The key should be free and is ${claim.is}.`)
  return { held: { key: claim.key, token: claim.token }, before: claim.before ?? [] }
}

const reply = { status: 200, headers: {} }

const aLetter = (given: Partial<DeadLetter> = {}): Omit<DeadLetter, 'id'> => ({
  bot: 'mail',
  reason: 'exhausted',
  at: 1_893_456_001_000,
  event: anEvent({ rawBody: Buffer.from([0xff, 0x00, 0x7b]) }),
  attempts: [{ attempt: 1, startedAt: 1, endedAt: 2, outcome: 'lost' }],
  ...given,
})

export const standingBeside: Cases<StoreTrial> = {
  'hands the note of a holder whose lease ran out to the next': companion(async (trial, store) => {
    const first = await traced(store, 'first')
    assert.deepEqual(first.before, [])
    await trial.time.pass(leaseMs * 1.1)
    assert.deepEqual((await traced(store, 'second')).before, ['first'])
    await trial.time.pass(leaseMs * 1.1)
    assert.deepEqual((await traced(store, 'third')).before, ['first', 'second'])
  }),

  'hands on what was left with a release, in the order in which it was left': companion(
    async (trial, store) => {
      const first = await traced(store, 'in flight')
      assert.equal(await store.release(first.held, 'failed'), true)
      await traced(store, 'cut off')
      await trial.time.pass(leaseMs * 1.1)
      const third = await traced(store, 'in flight')
      assert.deepEqual(third.before, ['failed', 'cut off'])
      assert.equal(await store.release(third.held), true)
      assert.deepEqual((await traced(store, 'in flight')).before, ['failed', 'cut off'])
    },
  ),

  'leaves nothing of who completed, released, or left no trace': companion(async (trial, store) => {
    await store.release((await traced(store, 'note')).held)
    const second = await traced(store, 'note')
    assert.deepEqual(second.before, [])
    assert.equal(await store.complete(second.held, reply, 1_000), true)
    await trial.time.pass(1_100)
    assert.deepEqual((await traced(store, 'note')).before, [])
    await trial.held('other')
    await trial.time.pass(leaseMs * 1.1)
    assert.deepEqual((await traced(store, 'note', { key: 'other' })).before, [])
  }),

  'keeps a note as long as asked, and the fingerprint with it': companion(async (trial, store) => {
    await store.release((await traced(store, 'note', { keepMs: 3_000 })).held, 'note')
    await trial.time.pass(300)
    assert.deepEqual(await trial.claim('key', { fingerprint: 'other' }), { is: 'mismatch' })
    await trial.time.pass(2_800)
    assert.deepEqual((await traced(store, 'note', { keepMs: 3_000 })).before, [])
  }),

  'refuses a late holder that would leave a note': companion(async (trial, store) => {
    const late = await traced(store, 'late')
    await trial.time.pass(leaseMs * 1.1)
    const holder = await traced(store, 'holder')
    assert.equal(await store.release(late.held, 'too late'), false)
    assert.equal(await store.release(holder.held, 'holder'), true)
    assert.deepEqual((await traced(store, 'next')).before, ['late', 'holder'])
  }),

  'recognises its own claim when a command is sent again': companion(async (trial, store) => {
    const options = {
      ...{ leaseMs, timeoutMs: 5_000, token: 'own' },
      trace: { note: 'note', keepMs: ttlMs },
    }
    await traced(store, 'earlier')
    await trial.time.pass(leaseMs * 1.1)
    for (let nth = 0; nth < 5; nth++) {
      const claim = await store.claim(hashed('key'), 'same', options)
      assert.deepEqual(claim, { is: 'claimed', key: hashed('key'), token: 'own', before: ['earlier'] })
      await trial.time.pass(leaseMs * 0.25)
    }
    assert.equal((await trial.claim('key')).is, 'in-flight', 'each has prolonged the lease')
  }),

  'holds a traced key for as long as it is renewed': companion(async (trial, store) => {
    const { held } = await traced(store, 'note')
    for (let nth = 0; nth < 5; nth++) {
      await trial.time.pass(leaseMs * 0.25)
      assert.equal(await store.renew(held, leaseMs), true)
    }
    assert.equal((await trial.claim('key')).is, 'in-flight')
  }),

  'counts for each bot what is held, what was left and what is dead': companion(async (trial, store) => {
    await traced(store, 'note', { key: 'held', bot: 'mail' })
    await store.release((await traced(store, 'note', { key: 'left', bot: 'mail' })).held, 'failed')
    await store.release((await traced(store, 'note', { key: 'free', bot: 'mail' })).held)
    await store.complete((await traced(store, 'note', { key: 'done', bot: 'mail' })).held, reply, ttlMs)
    await traced(store, 'note', { key: 'of stock', bot: 'stock' })
    await traced(store, 'note', { key: 'of nobody' })
    await store.bury(aLetter(), 'once')
    await store.bury(aLetter({ bot: null, reason: 'key-reused', attempts: [] }), 'quarantined')
    assert.deepEqual(await store.tally('mail'), { held: 1, left: 1, deadLetters: 1 })
    assert.deepEqual(await store.tally('stock'), { held: 1, left: 0, deadLetters: 0 })
    assert.deepEqual(await store.tally(null), { held: 0, left: 0, deadLetters: 1 })
    assert.deepEqual(await store.tally('nobody'), { held: 0, left: 0, deadLetters: 0 })
    await trial.time.pass(leaseMs * 1.1)
    assert.equal((await store.tally('mail')).held, 1, 'its lease ran out, and it is open still')
    await traced(store, 'note', { key: 'held', bot: 'mail' })
    assert.deepEqual(await store.tally('mail'), { held: 1, left: 1, deadLetters: 1 })
  }),

  'shares a text, and lets one of 20 who saw the same change it': companion(async (_trial, store) => {
    assert.equal(await store.shared('bots'), undefined)
    assert.equal(await store.share('bots', 'too late', 'of long ago'), false)
    const first = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => store.share('bots', `${nth}`, undefined)),
    )
    assert.equal(first.filter(Boolean).length, 1)
    const seen = await store.shared('bots')
    assert.equal(seen?.text, String(first.indexOf(true)))
    const text = `it's "any" text – ☃`
    const second = await Promise.all(
      Array.from({ length: 20 }, () => store.share('bots', text, seen?.version)),
    )
    assert.equal(second.filter(Boolean).length, 1)
    const after = await store.shared('bots')
    assert.equal(after?.text, text)
    assert.notEqual(after?.version, seen?.version)
    assert.equal(await store.shared('other'), undefined)
  }),

  'keeps a dead letter with its event and attempts, once': companion(async (_trial, store) => {
    const letter = aLetter()
    await store.bury(letter, 'once')
    await store.bury({ ...letter, at: letter.at + 1 }, 'once')
    const [kept, ...more] = await store.deadLetters.list({ event: letter.event.id })
    assert(kept)
    const { id, ...rest } = kept
    assert.deepEqual([rest, more], [letter, []])
    assert.deepEqual(await store.deadLetters.read(id), kept)
    assert.deepEqual((await store.deadLetters.list({ bot: 'stock' })).length, 0)
    const discarded = await Promise.all([store.deadLetters.discard(id), store.deadLetters.discard(id)])
    assert.deepEqual(discarded.sort(), [0, 1])
    await store.bury(letter, 'once')
    assert.equal((await store.deadLetters.list()).length, 1, 'it died again')
  }),

  'keeps dead letters of one event apart by bot, and a quarantined one for none': companion(
    async (_trial, store) => {
      const event = anEvent()
      await store.bury(aLetter({ event }), 'mail')
      await store.bury(aLetter({ event, bot: 'stock', reason: 'permanent', attempts: [] }), 'stock')
      await store.bury(aLetter({ event, bot: null, reason: 'key-reused', attempts: [] }), 'quarantine')
      const letters = await store.deadLetters.list()
      assert.deepEqual(
        letters.map(({ bot, reason, attempts, event: { id } }) => [bot, reason, attempts.length, id]),
        [
          ['mail', 'exhausted', 1, event.id],
          ['stock', 'permanent', 0, event.id],
          [null, 'key-reused', 0, event.id],
        ],
      )
    },
  ),

  'shows other processes notes, texts and dead letters, also after a restart': companion(
    async (trial, store) => {
      if (trial.store.capabilities.reach === 'process') return
      await store.release((await traced(store, 'note', { bot: 'mail' })).held, 'failed')
      await store.share('bots', 'text', undefined)
      await store.bury(aLetter(), 'once')
      const look = async (other: CompanionStore) => {
        assert.equal((await other.shared('bots'))?.text, 'text')
        assert.deepEqual(await other.tally('mail'), { held: 0, left: 1, deadLetters: 1 })
        const { held, before } = await traced(other, 'note', { bot: 'mail' })
        assert.deepEqual(before, ['failed'])
        await other.release(held)
      }
      await look((await trial.open()) as CompanionStore)
      if (!trial.isDurable) return
      await store.close()
      await look((await trial.open()) as CompanionStore)
    },
  ),
}

import { PermanentError } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { eventually } from '../../../../test/eventually.ts'
import { gate, listening } from './hub.ts'

const retry = { schedule: [10] } as const

test("answers with the bot's value as JSON, and gives repeats the same without a second run", async () => {
  let runs = 0
  const { post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**' }, ({ data }) => ({ run: ++runs, got: data })),
  )
  const first = await post('signed', { a: 1 })
  const repeat = await post('signed', { a: 1 })
  expect([first.status, first.headers.get('content-type'), await first.json()]).toEqual([
    200,
    'application/json',
    { run: 1, got: { a: 1 } },
  ])
  expect([repeat.status, await repeat.json()]).toEqual([200, { run: 1, got: { a: 1 } }])
  expect(repeat.headers.get('trigger-hub-duplicate')).toBe('?1')
  expect(repeat.headers.get('trigger-hub-event')).toBe(first.headers.get('trigger-hub-event'))
})

test('answers null for a bot without a value', async () => {
  const { post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**' }, () => undefined),
  )
  expect(await (await post('plain', {})).json()).toBeNull()
})

test('answers 202 after a failure and goes on with attempt 2 in the background', async () => {
  const attempts: unknown[] = []
  const { hub, post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**', retry }, (_event, { attempt, history }) => {
      attempts.push([attempt, history.map(({ outcome }) => outcome)])
      if (attempt === 1) throw new Error('no')
    }),
  )
  await hub.work()
  expect((await post('signed', {})).status).toBe(202)
  expect((await post('signed', {})).status).toBe(202)
  await eventually(() => attempts.length === 2)
  expect(attempts).toEqual([
    [1, []],
    [2, ['failed']],
  ])
})

test('answers 202 when the bot takes longer than syncTimeout', async () => {
  const { hub, post } = await listening({ ack: 'sync', syncTimeout: 20 }, (hub) =>
    hub.bot('quote', { on: '*:**', retry: { retries: 0 } }, () => new Promise(() => undefined)),
  )
  await hub.work()
  expect((await post('plain', {})).status).toBe(202)
  const letter = await eventually(async () => (await hub.deadLetters.list())[0])
  expect(letter).toMatchObject({ reason: 'exhausted', attempts: [{ attempt: 1, outcome: 'timeout' }] })
})

test('dead-letters an event at once on a PermanentError, without a second run', async () => {
  let runs = 0
  const { hub, post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**' }, () => {
      runs++
      throw new PermanentError('never')
    }),
  )
  await hub.work()
  expect((await post('plain', {})).status).toBe(202)
  await eventually(async () => (await hub.deadLetters.list({ reason: 'permanent' })).length === 1)
  expect(runs).toBe(1)
})

test('redrives the dead letter of an event when its sender sends it again', async () => {
  let runs = 0
  const { hub, post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**' }, () => {
      if (++runs === 1) throw new PermanentError('not yet')
    }),
  )
  await hub.work()
  const first = await post('signed', {})
  await eventually(async () => (await hub.deadLetters.list()).length === 1)
  const repeat = await post('signed', {})
  expect(
    [first, repeat].map(({ status, headers }) => [status, headers.get('trigger-hub-duplicate')]),
  ).toEqual([
    [202, null],
    [202, '?1'],
  ])
  expect(repeat.headers.get('trigger-hub-event')).toBe(first.headers.get('trigger-hub-event'))
  await eventually(() => runs === 2)
  expect(await hub.deadLetters.list()).toEqual([])
})

test('lets a repeat wait a little for the first request, then answers 503', async () => {
  const { open, opened } = gate()
  let runs = 0
  const { post } = await listening({ ack: 'sync', acceptTimeout: 30 }, (hub) =>
    hub.bot('quote', { on: '*:**' }, async () => {
      runs++
      await opened
      return 'done'
    }),
  )
  const first = post('signed', {})
  await eventually(() => runs === 1)
  const repeat = await post('signed', {})
  expect([repeat.status, repeat.headers.get('retry-after')]).toEqual([503, '1'])
  open()
  expect(await (await first).json()).toBe('done')
})

test('is done with a repeat in one time, however much of it went by in waiting for the first request', async () => {
  const timeouts: number[] = []
  const driver = memory()
  driver.claim = async (_key, _print, { timeoutMs }) => {
    timeouts.push(timeoutMs)
    return { is: 'in-flight', retryAfterMs: 40 }
  }
  const { post } = await listening({ ack: 'sync', driver, acceptTimeout: 200 }, (hub) =>
    hub.bot('quote', { on: '*:**' }, () => 'done'),
  )
  expect((await post('signed', {})).status).toBe(503)
  const [first, second = 200] = timeouts
  expect(first).toBe(200)
  expect(second).toBeLessThan(165)
  expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(50) // none is begun that could not be finished
})

test('holds no reply up for a store that does not say whether it has it', async () => {
  const driver = memory()
  driver.complete = () => gate<boolean>().opened
  const { post, logged } = await listening({ ack: 'sync', driver, acceptTimeout: 50 }, (hub) =>
    hub.bot('quote', { on: '*:**' }, () => 'done'),
  )
  expect(await (await post('signed', {})).json()).toBe('done')
  expect(logged.map(({ code }) => code)).toEqual(['WARN_REPLY_NOT_KEPT'])
})

test('keeps a signed key with another body in quarantine', async () => {
  const { hub, post } = await listening({ ack: 'sync' }, (hub) => hub.bot('quote', { on: '*:**' }, () => 1))
  await post('signed', { amount: 1 })
  expect((await post('signed', { amount: 2 })).status).toBe(200)
  expect(await hub.deadLetters.list()).toMatchObject([{ bot: null, reason: 'key-reused' }])
})

test('counts a value that JSON cannot hold as a failed attempt', async () => {
  const { hub, post } = await listening({ ack: 'sync' }, (hub) =>
    hub.bot('quote', { on: '*:**', retry: { retries: 0 } }, () => ({ total: 1n })),
  )
  await hub.work()
  expect((await post('signed', {})).status).toBe(202)
  const letter = await eventually(async () => (await hub.deadLetters.list())[0])
  expect(letter.attempts).toMatchObject([{ attempt: 1, error: { name: 'TypeError' } }])
})

import { DriverUnavailableError, type Accepted, type Driver, type EventRecord } from '@trigger-hub/core'
import { fakeClock } from '@trigger-hub/conformance'
import { memory } from '@trigger-hub/core/memory'
import { eventually } from '../../../../test/eventually.ts'
import { gate, listening } from './hub.ts'

const refusal = async (reply: Response) => {
  const { code } = (await reply.json()) as { code: string }
  return [reply.status, code, reply.headers.get('retry-after')]
}

/** The memory driver with another `accept`. */
function accepting(accept: (event: EventRecord, real: () => Promise<Accepted>) => Promise<Accepted>): Driver {
  const driver = memory()
  const real = driver.accept.bind(driver)
  driver.accept = (event, options) => accept(event, () => real(event, options))
  return driver
}

test('answers an accepted event with 200, an empty body and its id', async () => {
  const { post } = await listening()
  const reply = await post('plain', { a: 1 })
  expect([reply.status, await reply.text()]).toEqual([200, ''])
  expect(reply.headers.get('trigger-hub-event')).toMatch(/^[0-9a-f-]{36}$/)
})

test('answers no 2xx before the driver has said that the event is stored', async () => {
  const { open, opened } = gate()
  let answered = false
  const { post } = await listening({
    driver: accepting(async (_event, real) => opened.then(real)),
    acceptTimeout: '10s',
  })
  const reply = post('plain', {}).then((got) => ((answered = true), got))
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(answered).toBe(false)
  open()
  expect((await reply).status).toBe(200)
})

test('answers a repeat with 200 and says so, and runs no bot a second time', async () => {
  const runs: unknown[] = []
  const { hub, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**' }, ({ data }) => runs.push(data)),
  )
  await hub.work()
  const first = await post('signed', { a: 1 })
  const repeat = await post('signed', { a: 1 })
  expect(repeat.headers.get('trigger-hub-duplicate')).toBe('?1')
  expect(repeat.headers.get('trigger-hub-event')).toBe(first.headers.get('trigger-hub-event'))
  await post('signed', { a: 2 }, 'msg_2')
  await eventually(() => runs.length === 2)
  expect(runs).toEqual([{ a: 1 }, { a: 2 }])
})

test('accepts one of a hundred equal requests at once', async () => {
  const runs: unknown[] = []
  const { hub, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**' }, ({ id }) => runs.push(id)),
  )
  await hub.work()
  const replies = await Promise.all(Array.from({ length: 100 }, () => post('signed', { a: 1 })))
  expect(replies.every(({ status }) => status === 200)).toBe(true)
  expect(new Set(replies.map(({ headers }) => headers.get('trigger-hub-event'))).size).toBe(1)
  expect(replies.filter(({ headers }) => headers.get('trigger-hub-duplicate') === null)).toHaveLength(1)
  await eventually(() => runs.length === 1)
})

test('answers 503 with retry-after while the driver is out of reach, and accepts when it is back', async () => {
  let away = true
  const driver = accepting(async (_event, real) => {
    if (away) throw new DriverUnavailableError('memory', 'it is switched off.')
    return real()
  })
  const { post, logged } = await listening({ driver })
  expect(await refusal(await post('plain', {}))).toEqual([503, 'ERR_DRIVER_UNAVAILABLE', '1'])
  expect(logged.at(-1)).toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
  away = false
  expect((await post('plain', {})).status).toBe(200)
})

test('waits a little while another request is at the same event, then answers 503', async () => {
  let busy = 3
  const driver = accepting(async (_event, real) => (busy-- > 0 ? { is: 'busy', retryAfterMs: 5 } : real()))
  const { post } = await listening({ driver, acceptTimeout: '10s' })
  expect((await post('plain', {})).status).toBe(200)
  busy = Infinity
  const late = await listening({ driver, acceptTimeout: 20 })
  expect(await refusal(await late.post('plain', {}, 'msg_2'))).toEqual([503, 'ERR_EVENT_IN_FLIGHT', '1'])
})

test('is done with an event in one time, however much of it went by in waiting for another request', async () => {
  const clock = { ...fakeClock(), now: Date.now } // signatures are of now
  const timeouts: number[] = []
  const driver = memory()
  driver.accept = async (_event, { timeoutMs }) => {
    timeouts.push(timeoutMs)
    setImmediate(() => clock.advance(40))
    return { is: 'busy', retryAfterMs: 40 }
  }
  const { post } = await listening({ driver, acceptTimeout: 200, clock })
  expect((await post('plain', {})).status).toBe(503)
  expect(timeouts).toEqual([200, 160, 120, 80]) // and none of 40 ms, which could not be finished
})

test('keeps a signed key with another body in quarantine, answers 200 and runs no bot on it', async () => {
  const runs: unknown[] = []
  const { hub, post, logged } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**' }, ({ data }) => runs.push(data)),
  )
  await hub.work()
  await post('signed', { amount: 1 })
  expect((await post('signed', { amount: 1_000 })).status).toBe(200)
  expect(logged.map(({ code }) => code)).toContain('WARN_KEY_REUSED')
  expect(await hub.deadLetters.list()).toMatchObject([{ bot: null, reason: 'key-reused' }])
  expect(runs).toEqual([{ amount: 1 }])
})

test('answers 422 to a reused key where the app wants it so', async () => {
  const { post } = await listening({ onKeyReuse: 'reject' })
  await post('signed', { amount: 1 })
  expect(await refusal(await post('signed', { amount: 2 }))).toEqual([422, 'ERR_KEY_REUSED', null])
})

test('takes other bytes under an unsigned key for another event: anybody could have set the key', async () => {
  const { post } = await listening()
  const first = await post('plain', { a: 1 })
  const second = await post('plain', { a: 2 })
  expect(second.headers.get('trigger-hub-duplicate')).toBeNull()
  expect(second.headers.get('trigger-hub-event')).not.toBe(first.headers.get('trigger-hub-event'))
})

test('marks the same bytes under another unsigned key as a suspected replay', async () => {
  const marks: unknown[] = []
  const { hub, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**' }, (event) => marks.push(event.marks)),
  )
  await hub.work()
  await post('plain', { a: 1 }, 'one')
  expect((await post('plain', { a: 1 }, 'two')).status).toBe(200)
  await eventually(() => marks.length === 2)
  expect(marks).toEqual([undefined, ['replay-suspected']])
})

test('refuses a suspected replay where the app wants it so', async () => {
  const { post } = await listening({ onReplay: 'reject' })
  await post('plain', { a: 1 }, 'one')
  expect(await refusal(await post('plain', { a: 1 }, 'two'))).toEqual([401, 'ERR_UNAUTHORIZED', null])
})

test('redrives the dead letters of an event when its sender sends it again', async () => {
  let broken = true
  const runs: number[] = []
  const { hub, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**', retry: { retries: 0 } }, (_event, { attempt }) => {
      runs.push(attempt)
      if (broken) throw new Error('no')
    }),
  )
  await hub.work()
  await post('signed', { a: 1 })
  await eventually(async () => (await hub.deadLetters.list()).length === 1)
  broken = false
  const repeat = await post('signed', { a: 1 })
  expect([repeat.status, repeat.headers.get('trigger-hub-duplicate')]).toEqual([200, '?1'])
  await eventually(() => runs.length === 2)
  expect([runs, await hub.deadLetters.list()]).toEqual([[1, 1], []])
})

test('leaves dead letters alone at a repeat where the app wants it so', async () => {
  const { hub, post } = await listening({ onRepeat: 'ignore' }, (hub) =>
    hub.bot('crm', { on: '*:**', retry: { retries: 0 } }, () => Promise.reject(new Error('no'))),
  )
  await hub.work()
  await post('signed', { a: 1 })
  await eventually(async () => (await hub.deadLetters.list()).length === 1)
  await post('signed', { a: 1 })
  expect(await hub.deadLetters.list()).toHaveLength(1)
})

test('refuses a body that the driver cannot carry', async () => {
  const driver = Object.assign(memory(), {
    capabilities: { durability: 'none', reach: 'process', maxEventBytes: 10 } as const,
  })
  const { post } = await listening({ driver })
  expect(await refusal(await post('plain', { long: 'enough' }))).toEqual([413, 'ERR_BODY_TOO_LARGE', null])
})

test('answers with the status that the app wants for an ack', async () => {
  const { post } = await listening({ ackStatus: 202 })
  expect((await post('plain', {})).status).toBe(202)
})

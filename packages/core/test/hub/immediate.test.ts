import { DriverUnavailableError, TriggerHub, type Driver } from '@trigger-hub/core'
import { fakeClock } from '@trigger-hub/conformance'
import { memory } from '@trigger-hub/core/memory'
import { eventually } from '../../../../test/eventually.ts'
import { closedAfter, gate, listening, sources } from './hub.ts'

/** A driver that stores nothing before the gate is open. */
function gated(opened: Promise<unknown>): Driver {
  const driver = memory()
  const accept = driver.accept.bind(driver)
  driver.accept = async (event, options) => opened.then(() => accept(event, options))
  return driver
}

test('answers before the event is stored, and stores it then', async () => {
  const { open, opened } = gate()
  const runs: unknown[] = []
  const { hub, post } = await listening({ ack: 'immediate', driver: gated(opened) }, (hub) =>
    hub.bot('crm', { on: '*:**' }, ({ data }) => runs.push(data)),
  )
  await hub.work()
  expect((await post('plain', { a: 1 })).status).toBe(200)
  expect(runs).toEqual([])
  open()
  await eventually(() => runs.length === 1)
})

test('is chosen for one source by name', async () => {
  const { open, opened } = gate()
  const { post } = await listening({ ack: { plain: 'immediate' }, driver: gated(opened) })
  expect((await post('plain', {})).status).toBe(200)
  let answered = false
  const durable = post('signed', {}).then(() => (answered = true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(answered).toBe(false)
  open()
  await durable
})

test('is not chosen for a source that is called as a property of every object', async () => {
  const hub = closedAfter(
    new TriggerHub({
      driver: memory(),
      allowVolatile: true,
      sources: { ...sources, constructor: sources.plain },
      ack: { plain: 'immediate' } as never, // the compiler sees it, too
    }),
  )
  const event = { id: '1', source: 'constructor', type: 't', rawType: 't', time: 1, headers: {} }
  const reply = await hub.accept({ ...event, rawBody: Buffer.of(), data: null }, { verified: true })
  expect(reply.status).toBe(200)
})

test('stores what is in its buffer before the hub closes', async () => {
  const driver = memory()
  const accept = driver.accept.bind(driver)
  let failures = 1
  const stored: string[] = []
  driver.accept = async (event, options) => {
    if (failures-- > 0) throw new DriverUnavailableError('memory', 'it is switched off.')
    stored.push(event.id)
    return accept(event, options)
  }
  const { hub, post } = await listening({ ack: 'immediate', driver })
  const reply = await post('plain', {})
  await hub.close({ deadline: '5s' })
  expect(stored).toEqual([reply.headers.get('trigger-hub-event')])
})

test('quarantines a reused key once, also when the hub is to refuse it', async () => {
  const clock = { ...fakeClock(), now: Date.now } // signatures are of now, waits are not waited out
  const { hub, post } = await listening({ ack: 'immediate', onKeyReuse: 'reject', clock })
  await post('signed', { a: 1 })
  await post('signed', { a: 2 })
  await eventually(async () => (await hub.inspect()).quarantined > 0)
  for (let turn = 0; turn < 20; turn++) {
    clock.advance(10_000)
    await new Promise(setImmediate)
  }
  expect((await hub.inspect()).quarantined).toBe(1)
})

test('reports an answered event as lost that could not be stored until the deadline of a close', async () => {
  const driver = memory()
  driver.accept = () => Promise.reject(new DriverUnavailableError('memory', 'it is switched off.'))
  const { hub, post, logged } = await listening({ ack: 'immediate', driver })
  const reply = await post('plain', {})
  await hub.close({ deadline: 20 })
  expect(logged.at(-1)).toMatchObject({ level: 'error', code: 'ERR_EVENT_LOST' })
  expect(logged.at(-1)?.message).toContain(reply.headers.get('trigger-hub-event'))
})

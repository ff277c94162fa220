import { once } from 'node:events'
import { connect } from 'node:net'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { DriverUnavailableError, TriggerHub, type LogRecord } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { eventually } from '../../../../test/eventually.ts'
import { closedAfter, gate, listening } from './hub.ts'

test('answers 503 with retry-after once it is closing', async () => {
  const { open, opened } = gate()
  const { hub, post } = await listening({}, (hub) => hub.bot('crm', { on: '*:**' }, () => opened))
  await hub.work()
  await post('plain', {})
  await eventually(async () => (await hub.inspect()).bots[0]?.running === 1)
  const closing = hub.close()
  const reply = await post('plain', {}, 'late')
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await reply.json()).toMatchObject({ code: 'ERR_CLOSING' })
  open()
  await closing
})

test('lets running attempts finish before it closes', async () => {
  const { open, opened } = gate()
  let finished = false
  const { hub, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**' }, async () => {
      await opened
      finished = true
    }),
  )
  await hub.work()
  await post('plain', {})
  await eventually(async () => (await hub.inspect()).bots[0]?.running === 1)
  const closing = hub.close()
  open()
  await closing
  expect(finished).toBe(true)
})

test.each(['', 'POST /plain HTTP/1.1\r\n', 'POST /plain HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'])(
  'closes at the deadline although a connection is held on which only %j came',
  async (bytes) => {
    const { hub, port } = await listening()
    const socket = connect(port, '127.0.0.1')
    const cut = once(socket, 'close')
    await once(socket, 'connect')
    socket.write(bytes)
    socket.resume()
    await hub.close({ deadline: 20 })
    await cut
  },
)

test('is closed, and listens no more, when it was about to listen', async () => {
  const hub = closedAfter(new TriggerHub({ driver: memory(), allowVolatile: true }))
  await hub.start()
  const listens = hub.listen({ port: 0, host: 'localhost' })
  await Promise.resolve() // it waits for the address of its host
  await hub.close()
  expect((await listens).listening).toBe(false)
})

test('cuts attempts off at the deadline, and gives them back at no cost of an attempt', async () => {
  const driver = memory()
  const closing: boolean[] = []
  const driverClose = driver.close.bind(driver)
  driver.close = () => Promise.resolve() // a second hub goes on with it
  const never = await listening({ driver }, (hub) =>
    hub.bot('crm', { on: '*:**' }, (_event, { signal }) =>
      once(signal, 'abort').then(() => closing.push(signal.aborted)),
    ),
  )
  await never.hub.work()
  await never.post('plain', {})
  await eventually(async () => (await never.hub.inspect()).bots[0]?.running === 1)
  await never.hub.close({ deadline: 20 })
  expect(closing).toEqual([true])

  const seen: unknown[] = []
  const next = await listening({ driver }, (hub) =>
    hub.bot(
      'crm',
      { on: '*:**' },
      (_event, { attempt, redelivered }) => void seen.push({ attempt, redelivered }),
    ),
  )
  await next.hub.work()
  await eventually(() => seen.length > 0)
  expect(seen).toEqual([{ attempt: 1, redelivered: true }])
  await driverClose()
})

test('closes once, however often it is told to', async () => {
  const { hub } = await listening()
  await Promise.all([hub.close(), hub.close()])
  await hub.close()
  await expect(hub.work()).rejects.toMatchObject({ code: 'ERR_CLOSING' })
  await expect(hub.start()).rejects.toMatchObject({ code: 'ERR_CLOSING' })
})

test('closes a driver that could not be opened, which would go on trying', async () => {
  const driver = memory()
  driver.declare = () => Promise.reject(new DriverUnavailableError('memory', 'off.'))
  const close = jest.spyOn(driver, 'close')
  const hub = new TriggerHub({ driver, allowVolatile: true })
  await expect(hub.start()).rejects.toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
  await hub.close()
  expect(close).toHaveBeenCalledTimes(1)
})

test('a hub that never started closes as well, and then opens no driver any more', async () => {
  const driver = memory()
  const declare = jest.spyOn(driver, 'declare')
  const hub = new TriggerHub({ driver, allowVolatile: true })
  await hub.close()
  await expect(hub.start()).rejects.toMatchObject({ code: 'ERR_CLOSING' })
  await expect(hub.listen({ port: 0 })).rejects.toMatchObject({ code: 'ERR_CLOSING' })
  expect(declare).not.toHaveBeenCalled()
})

test('listens no more once it is closed', async () => {
  const { hub } = await listening()
  await hub.close()
  await expect(hub.listen({ port: 0 })).rejects.toMatchObject({ code: 'ERR_CLOSING' })
})

test('tries to start again at the next request when the driver was out of reach at the first', async () => {
  const driver = memory()
  const declare = driver.declare.bind(driver)
  let away = true
  driver.declare = (bots) =>
    away ? Promise.reject(new DriverUnavailableError('memory', 'off.')) : declare(bots)
  const hub = new TriggerHub({ driver, allowVolatile: true })
  await expect(hub.start()).rejects.toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
  away = false
  await hub.start()
  await hub.close()
})

test('reports what the driver warns of, and bots of the registry that nobody declares', async () => {
  const driver = memory()
  await driver.declare([{ name: 'forgotten', on: ['*:**'] }])
  const inspect = driver.inspect.bind(driver)
  driver.inspect = async () => ({
    ...(await inspect()),
    warnings: [{ code: 'WARN_TMPFS', message: 'in memory' }],
  })
  const logged: LogRecord[] = []
  const hub = new TriggerHub({ driver, allowVolatile: true, log: (record) => logged.push(record) })
  await hub.start()
  expect(logged.map(({ code }) => code)).toEqual(['WARN_TMPFS', 'WARN_BOT_UNDECLARED'])
  expect(logged[1]?.message).toContain(`hub.retire('forgotten')`)
  await hub.retire('forgotten')
  expect((await hub.inspect()).bots).toEqual([])
  await hub.close()
})

test('says in the log that a bot has given up, why, and how to run it again', async () => {
  const { hub, logged, post } = await listening({}, (hub) =>
    hub.bot('crm', { on: '*:**', retry: { retries: 1, base: 1 } }, () => {
      throw new TypeError('no such customer')
    }),
  )
  await hub.work()
  const reply = await post('plain', {})
  await eventually(async () => (await hub.deadLetters.list()).length === 1)
  const event = reply.headers.get('trigger-hub-event')
  const message =
    `Bot "crm" has given up on event ${event} (plain:unknown); when its cause is mended: ` +
    `hub.deadLetters.redrive({ bot: 'crm' }). Cause: TypeError: no such customer`
  expect(logged).toEqual([
    { level: 'warn', code: 'WARN_DEAD_LETTER', message, bot: 'crm', event, reason: 'exhausted' },
  ])
})

test('says that a bot to retire is not there, and retires it all the same', async () => {
  const driver = memory()
  const retire = jest.spyOn(driver, 'retire')
  const logged: LogRecord[] = []
  const hub = new TriggerHub({ driver, allowVolatile: true, log: (record) => logged.push(record) })
  hub.bot('crm', { on: '*:**' }, () => undefined)
  await hub.retire('cmr')
  expect(logged).toEqual([
    {
      level: 'warn',
      code: 'WARN_BOT_UNKNOWN',
      message: 'There is no bot "cmr" to retire; the registry has: crm. It may have been retired before.',
    },
  ])
  await hub.retire('crm')
  expect(logged).toHaveLength(1)
  expect(retire.mock.calls).toEqual([['cmr'], ['crm']])
  await expect(hub.retire(undefined as never)).rejects.toMatchObject({ code: 'ERR_BOT_INVALID' })
  await hub.close()
})

test('does not close when it was told how in a way that it does not know', async () => {
  const hub = new TriggerHub({ driver: memory(), allowVolatile: true })
  for (const options of [null, 5_000, { deadline: 'soon' }]) {
    await expect(hub.close(options as never)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  }
  await expect(hub.close({ dedline: '5s' } as never)).rejects.toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
  await hub.start() // still open
  await hub.close()
})

test('publishes each step on its diagnostics channel, without payload', async () => {
  const seen: [string, unknown][] = []
  const names = ['rejected', 'accepted', 'duplicate', 'attempt-started', 'attempt-ended', 'settled']
  const listener = (message: unknown, name: string | symbol) =>
    void seen.push([String(name).slice(12), message])
  for (const name of names) subscribe(`trigger-hub:${name}`, listener)
  const { hub, post } = await listening({}, (hub) => hub.bot('crm', { on: '*:**' }, () => 'canary-value'))
  await hub.work()
  await post('plain', { canary: 'canary-value' })
  await eventually(() => seen.some(([name]) => name === 'settled'))
  await post('plain', { canary: 'canary-value' })
  for (const name of names) unsubscribe(`trigger-hub:${name}`, listener)
  expect(seen.slice(0, 5)).toMatchObject([
    ['accepted', { source: 'plain', type: 'unknown', marks: [] }],
    ['attempt-started', { bot: 'crm', attempt: 1, redelivered: false }],
    ['attempt-ended', { bot: 'crm', attempt: 1, verdict: 'done' }],
    ['settled', { bot: 'crm', attempt: 1, outcome: 'settled', verdict: 'done' }],
    ['duplicate', { source: 'plain', redriven: 0 }],
  ])
  expect(JSON.stringify(seen)).not.toContain('canary-value')
})

test('one sender at one endpoint needs neither a framework nor a name', async () => {
  const source = hmac({ secret: 'correct horse battery' })
  const seen: unknown[] = []
  const hub = closedAfter(
    new TriggerHub({ driver: memory(), allowVolatile: true, endpoint: '/webhooks/orders', source }),
  )
  hub.bot('crm', { on: 'webhook:**' }, ({ data }) => void seen.push(data))
  const server = await hub.listen({ port: 0, host: '127.0.0.1' })
  await hub.work()
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const rawBody = Buffer.from('{"a":1}')
  const headers = { 'content-type': 'application/json', ...sign(source, { rawBody, nowMs: Date.now() }) }
  expect((await fetch(`${url}/webhooks/orders`, { method: 'POST', headers, body: rawBody })).status).toBe(200)
  expect((await fetch(`${url}/webhooks/other`, { method: 'POST', headers, body: rawBody })).status).toBe(404)
  expect((await fetch(`${url}/webhooks/orders`)).status).toBe(405)
  await eventually(() => seen.length === 1)
  await hub.close()
  await expect(fetch(url)).rejects.toThrow()
})

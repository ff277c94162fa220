import type { Redis } from 'ioredis'
import { needs } from '../../../../test/servers/needs.ts'
import { Proxy } from '../../../../test/servers/proxy.ts'
import { Connection } from '../src/connection.ts'

needs('redis', (url) => {
  test('a connection that swallows what is written to it is given up once, however many calls are late', async () => {
    const proxy = await Proxy.to(Number(new URL(url).port))
    const connection = new Connection(`redis://127.0.0.1:${proxy.port}`, { prefix: 'swallowed', replicas: 0 })
    const ping = (timeoutMs: number) => connection.call(({ client }) => (client as Redis).ping(), timeoutMs)
    try {
      await ping(20_000)
      const { stream } = connection.client as Redis
      const listeners = stream.listenerCount('close')
      proxy.halfOpen()
      const late = await Promise.allSettled(Array.from({ length: 20 }, () => ping(100)))
      expect(new Set(late.map(({ status }) => status))).toEqual(new Set(['rejected']))
      expect(stream.listenerCount('close')).toBe(listeners + 1)
    } finally {
      connection.close()
      await proxy.close()
    }
  })
})

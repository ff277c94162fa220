import { storeSuite } from '@trigger-hub/conformance'
import { redis } from '@trigger-hub/redis'
import { needs } from '../../../../test/servers/needs.ts'

needs('redis', (url) => {
  describe('redis() as a store', () =>
    storeSuite(
      { describe, it },
      async ({ name, clock }) => {
        const store = redis(url, { prefix: name, clock })
        await store.inspect() // what it promises is known when the server was asked
        return store
      },
      { time: 'real' },
    ))
})

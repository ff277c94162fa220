import { needs } from '../../../../test/servers/needs.ts'
import { otherServerSuite } from './other-server.ts'

needs('valkey', (url) => {
  describe('on Valkey', () => otherServerSuite(url, /^redis: Valkey \d+\.\d+\.\d+, /))
})

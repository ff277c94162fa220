import { needs } from '../servers/needs.ts'
import { raceSuite } from './race.ts'

needs('redis', (url) => {
  describe('two processes on one Redis', () => raceSuite(url))
})

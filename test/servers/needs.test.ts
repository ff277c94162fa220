import { asked } from '../../scripts/services/asked.ts'
import { needs } from './needs.ts'

needs('redis', (url) => {
  test('a test gets the address of a Redis that answers', async () => {
    const answer = await asked(Number(new URL(url).port), Buffer.from('PING\r\n'))
    expect(answer?.toString()).toBe('+PONG\r\n')
  })
})

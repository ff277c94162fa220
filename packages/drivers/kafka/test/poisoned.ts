/** A worker that an event whose body is `poison` kills, three times; what was handled it writes to a file. */
import { appendFileSync } from 'node:fs'
import { Hub, work } from './hub.ts'

const { brokers, prefix, log } = JSON.parse(process.argv[2] ?? '{}') as Record<
  'brokers' | 'prefix' | 'log',
  string
>

process.on('message', () => {
  const driver = new Hub(() => brokers, prefix).driver({ lease: 1_000 }) // which the next one waits out
  void work(
    driver,
    'mail',
    ({ event, attempt }) => {
      if (String(event.rawBody) !== 'poison') {
        appendFileSync(log, `${event.id}\n`)
        return { is: 'done' }
      }
      if (attempt > 3) return { is: 'dead-letter', reason: 'exhausted' } // as the policy of a hub would have it
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => undefined)
    },
    2,
  ).then(() => process.send?.({ is: 'up', port: 0 }))
})
process.on('disconnect', () => process.exit(2)) // nobody is there to end it
process.send?.({ is: 'loaded' })

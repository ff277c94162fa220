/** What a process of its own does in `processes.test.ts`: `child.ts <role> <path>`. It says what happened, a line each. */
import { randomUUID } from 'node:crypto'
import { WebhookError } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { open } from '../src/database.ts'
import { acceptOptions, anEvent } from './events.ts'

const [role = '', path = '', argument = ''] = process.argv.slice(2)
const say = (...words: (string | number)[]): void => void process.stdout.write(`${words.join(' ')}\n`)
const told = (): Promise<void> => new Promise((resolve) => process.stdin.once('data', () => resolve()))

const roles: Record<string, () => Promise<void>> = {
  /** Accepts as fast as it can until it is killed, and names what it could have answered 200 for. */
  async receive() {
    const driver = embedded({ path })
    const one = async (): Promise<never> => {
      for (;;) {
        const event = anEvent()
        await driver.accept(event, acceptOptions(event))
        say('accepted', event.id)
      }
    }
    await Promise.all(Array.from({ length: 16 }, one))
  },

  /** Accepts large events until the file may not grow any more. */
  async fill() {
    const driver = embedded({ path })
    for (;;) {
      const event = anEvent({ rawBody: Buffer.alloc(100_000, randomUUID()) })
      try {
        await driver.accept(event, acceptOptions(event))
        say('accepted', event.id)
      } catch (error) {
        say('refused', WebhookError.is(error) ? error.code : String(error))
        break
      }
    }
    await driver.close()
    say('closed')
  },

  /** Accepts one event each time it is told to, and says when. */
  async send() {
    const driver = embedded({ path })
    await driver.inspect()
    say('ready')
    for (;;) {
      await told()
      const event = anEvent()
      await driver.accept(event, acceptOptions(event))
      say('accepted', event.id, Date.now())
    }
  },

  /** Holds the lock of the file until it is told to let go. */
  async lock() {
    const db = open(path)
    db.exec('BEGIN IMMEDIATE')
    say('locked')
    await told()
    db.exec('COMMIT')
    say('unlocked')
    process.exit(0)
  },

  /** Runs one delivery until it is told to end it, and says what became of its verdict. */
  async work() {
    const driver = embedded({ path, lease: Number(argument) })
    await driver.consume(
      'mail',
      {
        concurrency: 1,
        onSettled: (_delivery, outcome) => say('settled', outcome),
        onError: (error) => say('error', String(error)),
      },
      async ({ event, attempt, lost }) => {
        lost.addEventListener('abort', () => say('lost'))
        say('running', event.id, attempt)
        await told()
        return { is: 'done' }
      },
    )
  },

  /** Accepts one event and does nothing more. */
  async once() {
    const driver = embedded({ path })
    const event = anEvent()
    await driver.accept(event, acceptOptions(event))
    say('accepted', event.id)
    process.stdin.unref()
  },
}

void roles[role]?.()

/**
 * `npm run demo`: real webhooks over HTTP, into an app of two processes that are both killed on the way, and a ledger of
 * what became of each. `npm run demo -- --keep` leaves it running to play with.
 */
import { rmSync } from 'node:fs'
import { follow } from './follow.ts'
import { keep } from './keep.ts'
import { balances } from './ledger.ts'
import { endAll } from './processes.ts'
import { books, folder } from './setting.ts'
import { story } from './story.ts'
import { heading, printLedger } from './timeline.ts'

async function main(): Promise<number> {
  const unfollow = follow(['invoice', 'shipping'], 10)
  const cast = await story().finally(unfollow)
  const keeps = process.argv.includes('--keep')
  if (!keeps) await endAll()
  const outcome = books()
  printLedger(outcome)
  heading(balances(outcome) ? 'The ledger balances.' : 'The ledger does not balance.')
  if (keeps) await keep(cast)
  return balances(outcome) ? 0 : 1
}

let ending: Promise<never> | undefined

/** Nothing stays behind: no process, no file. The first reason to end is the one that counts. */
function end(code: number): Promise<never> {
  return (ending ??= endAll().then(() => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  }))
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(130))
main().then(end, (error: unknown) => {
  if (!ending) {
    console.error(error)
    printLedger(books()) // it names what is missing
  }
  return end(1)
})

import { styleText } from 'node:util'
import { balances, type Ledger } from './ledger.ts'

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold'

const inColour = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (colour: Colour, text: string): string => (inColour ? styleText(colour, text) : text)

/** What a line tells: that something works, fails, or is being tried. */
const colours = { good: 'green', bad: 'red', trouble: 'yellow', plain: undefined } as const

const startedAt = performance.now()

/** One line of the timeline: when, who, what. */
export function tell(who: string, what: string, mood: keyof typeof colours = 'plain'): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2)
  const colour = colours[mood]
  console.log(
    `${paint('dim', `${seconds.padStart(6)} s`)}  ${who.padEnd(9)} ${colour ? paint(colour, what) : what}`,
  )
}

/** A line above what follows. */
export const heading = (text: string): void => console.log(`\n${paint('bold', text)}`)

const columns = ['events', 'handled', 'retried', 'dead-lettered', 'redriven', 'extra runs'] as const

const mostComplaints = 20

export function printLedger(outcome: Ledger): void {
  const { sent, received, accepted, duplicate, rejected, unavailable, bots, lost, faults } = outcome
  const extra = Object.values(bots).reduce((sum, bot) => sum + bot.extra, 0)
  // what a note claims is true of a ledger that balances
  const row = (name: string, count: number, note: string): void => {
    const entry = `  ${name.padEnd(9)}${String(count).padStart(9)}`
    console.log(note && balances(outcome) ? `${entry}   ${paint('dim', note)}` : entry)
  }

  heading("The ledger, from the sender's log and the bots' own files")
  row('received', received, `were answered, of ${sent}; the others met no receiver and were sent again`)
  row('accepted', accepted, 'answered 200 once the event was on the disk')
  row('duplicate', duplicate, 'answered 200; the bots have each of these events, once')
  row('rejected', rejected, 'answered 401; no bot has seen any of these')
  if (unavailable > 0) row('503', unavailable, 'not stored in time on a busy machine; sent again')
  console.log(`\n  ${'bot'.padEnd(9)}${columns.map((column) => column.padStart(column.length + 3)).join('')}`)
  for (const [bot, account] of Object.entries(bots)) {
    const { events, handled, retried, deadLettered, redriven, extra } = account
    const cells = [events, handled, retried, deadLettered, redriven, extra]
    const line = cells.map((cell, i) => String(cell).padStart((columns[i]?.length ?? 0) + 3))
    console.log(`  ${bot.padEnd(9)}${line.join('')}`)
  }
  console.log()
  row('extra', extra, 'runs after a kill, for what was in flight; each was told that it is redelivered')
  row('lost', lost.length, '')
  const complaints = [...faults, ...lost]
  for (const line of complaints.slice(0, mostComplaints)) console.log(`  ${paint('red', line)}`)
  if (complaints.length > mostComplaints) console.log(`  … and ${complaints.length - mostComplaints} more`)
}

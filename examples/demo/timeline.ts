import { styleText } from 'node:util'
import type { Ledger } from './ledger.ts'

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

export function printLedger({
  sent,
  received,
  accepted,
  duplicate,
  rejected,
  bots,
  lost,
  faults,
}: Ledger): void {
  heading("The ledger, from the sender's log and the bots' own files")
  row(
    'received',
    received,
    sent === received ? '' : `of ${sent}; the others found no one and were sent again`,
  )
  row('accepted', accepted, 'answered 200 once the event was on the disk')
  row('duplicate', duplicate, 'answered 200 as well; each of an event that the bots have')
  row('rejected', rejected, 'answered 401; no bot has seen any')

  console.log(
    paint(
      'dim',
      `\n  ${'bot'.padEnd(9)}${columns.map((column) => column.padStart(column.length + 3)).join('')}`,
    ),
  )
  for (const [bot, { events, handled, retried, deadLettered, redriven, extra }] of Object.entries(bots)) {
    const cells = [events, handled, retried, deadLettered, redriven, extra]
    const line = cells.map((cell, i) => String(cell).padStart((columns[i] ?? '').length + 3)).join('')
    console.log(`  ${bot.padEnd(9)}${line}`)
  }

  const extra = Object.values(bots).reduce((sum, bot) => sum + bot.extra, 0)
  console.log()
  row('extra', extra, 'runs after a kill, for what was in flight; each of them said "redelivered"')
  row('lost', lost.length)
  for (const line of [...lost, ...faults]) console.log(`  ${paint('red', line)}`)
}

const row = (name: string, count: number, note = ''): void =>
  console.log(`  ${name.padEnd(9)}${String(count).padStart(9)}   ${paint('dim', note)}`.trimEnd())

import { crashBots } from './bots.ts'
import { Child, endAll } from './child.ts'
import { readLedger } from './ledger.ts'
import { judge } from './oracle.ts'
import { freshFolder, removeFolder } from './run.ts'
import { message, Sender } from './sender.ts'

jest.setTimeout(60_000)

const bots = crashBots(() => new Error())
const rounds = 10

let folder: string
beforeEach(() => (folder = freshFolder()))
afterEach(async () => {
  await endAll()
  removeFolder(folder)
})

test('a hundred requests for one event at once, to two processes, are one event and one run for each bot', async () => {
  const children = [new Child({ folder, role: 'both' }), new Child({ folder, role: 'both' })]
  const ports = await Promise.all(children.map((child) => child.start()))
  const senders = ports.map((port) => new Sender(folder, () => port))

  for (let n = 1; n <= rounds; n++) {
    const same = message(n * 100) // a number that no bot fails for
    const answers = await Promise.all(Array.from({ length: 100 }, (_, nth) => senders[nth % 2]!.post(same)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(99)
    expect(new Set(answers.map(({ event }) => event)).size).toBe(1)
  }
  await children[0]!.quiet()
  for (const sender of senders) sender.close()

  const ledger = readLedger(folder)
  expect(judge(ledger, bots)).toMatchObject({
    broken: [],
    counts: { acked: rounds, duplicates: 99 * rounds, redelivered: 0 },
  })
  const hearing = bots.flatMap(({ hears }) =>
    Array.from({ length: rounds }, (_, n) => message((n + 1) * 100)).filter(({ type }) => hears(type)),
  )
  expect(ledger.runs.filter(({ is }) => is === 'started')).toHaveLength(hearing.length)
})

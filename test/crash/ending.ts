import { crashBots } from './bots.ts'
import type { Child } from './child.ts'
import { readLedger } from './ledger.ts'
import { judge, type Judgement } from './oracle.ts'

const bots = crashBots(() => new Error())

/**
 * Lets a process finish its work and end, which it has to do with 0 and with every promise kept.
 * @returns what the ledger counts
 */
export async function endsWell(child: Child, folder: string): Promise<Judgement['counts']> {
  await child.quiet()
  child.kill('SIGTERM')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  const { broken, counts } = judge(readLedger(folder), bots)
  expect(broken).toEqual([])
  return counts
}

import type { Driver } from '../ports/driver.ts'
import type { Log } from '../words/log.ts'

/** Retires a bot. Of one that is not there nobody knows whether it was retired before or is misspelt, so that is told. */
export async function retireFrom(driver: Driver, bot: string, log: Log): Promise<void> {
  const { bots } = await driver.inspect()
  await driver.retire(bot)
  if (bots.some(({ name }) => name === bot)) return
  const there = bots.map(({ name }) => name).join(', ') || 'none'
  const message = `There is no bot "${bot}" to retire; the registry has: ${there}. It may have been retired before.`
  log({ level: 'warn', code: 'WARN_BOT_UNKNOWN', message })
}

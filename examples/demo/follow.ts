import { runs } from './setting.ts'
import { tell } from './timeline.ts'

/** Tells what bots write into their files, as they write it. Returns what stops it. */
export function follow(bots: readonly string[], everyMs: number): () => void {
  const told = new Map(bots.map((bot) => [bot, runs(bot).length]))
  const look = (): void => {
    for (const bot of bots) {
      const news = runs(bot).slice(told.get(bot))
      told.set(bot, (told.get(bot) ?? 0) + news.length)
      for (const { is, attempt, lastAttempt, error } of news) {
        if (is === 'handled') tell(bot, `attempt ${attempt}: handled`, 'good')
        if (is === 'failed' && lastAttempt) tell(bot, `attempt ${attempt}: ${error}; a dead letter`, 'bad')
        if (is === 'failed' && !lastAttempt)
          tell(bot, `attempt ${attempt}: ${error}; again in ${2 ** (attempt - 1)} s`, 'trouble')
      }
    }
  }
  const timer = setInterval(look, everyMs)
  return () => clearInterval(timer)
}

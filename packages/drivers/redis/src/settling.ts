import type { AttemptRecord, Clock, Settled, Verdict } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'
import { settleScript } from './scripts/deliveries.ts'
import { Turn } from './turn.ts'

/** Which delivery, and as what it was handed out. */
export interface Settlement {
  readonly session: string
  readonly bot: string
  readonly event: string
  readonly turn: number
  readonly history: readonly AttemptRecord[]
}

const mostAtOnce = 200
const retryMs = 100

/** Carries verdicts out, those of one turn of the event loop with one script. */
export class Settling {
  readonly #clock: Clock
  readonly #turn: Turn<(string | number)[], boolean>

  constructor(connection: Connection, clock: Clock) {
    this.#clock = clock
    this.#turn = new Turn(mostAtOnce, async (items) => {
      const outcomes = (await connection.run(settleScript, items.flat(), patienceMs)) as number[]
      return outcomes.map((outcome) => outcome === 1)
    })
  }

  /**
   * Goes on until the server has answered: a delivery whose verdict is lost would stay with a session that lives. Whether
   * the first of several tries was carried out is not known when a later one is refused.
   * @param isOver  says when to give up
   */
  async settle(of: Settlement, verdict: Verdict, isOver: () => boolean): Promise<Settled> {
    const { session, bot, event, turn } = of
    for (let isFirst = true; ; isFirst = false) {
      try {
        const isSettled = await this.#turn.add([session, bot, event, turn, ...argsOf(verdict, of.history)])
        return isSettled ? 'settled' : isFirst ? 'fenced' : 'unknown'
      } catch {
        if (isOver()) return 'unknown'
        await new Promise<void>((resume) => this.#clock.after(retryMs, resume))
      }
    }
  }
}

function argsOf(verdict: Verdict, history: readonly AttemptRecord[]): [string, string | number, string] {
  const with_ = (failed: AttemptRecord | undefined): string =>
    JSON.stringify(failed ? [...history, failed] : history)
  switch (verdict.is) {
    case 'done':
      return ['done', '', '']
    case 'retry':
      return ['retry', Math.max(0, Math.round(verdict.afterMs)), with_(verdict.failed)]
    case 'dead-letter':
      return ['dead-letter', verdict.reason, with_(verdict.failed)]
    case 'release':
      return ['release', verdict.interrupted ? '1' : '0', '']
  }
}

import type { Run } from './bots.ts'
import type { Sent } from './sender.ts'

/** How one bot stands. */
export interface Account {
  /** Events that it must see. */
  events: number
  handled: number
  /** Runs after one that had failed. */
  retried: number
  /** Times that it gave up. */
  deadLettered: number
  /** Runs after it had given up. */
  redriven: number
  /** Runs after one that was cut off, or that had handled the event already. */
  extra: number
}

export interface Ledger {
  /** Requests, answered or not. */
  readonly sent: number
  readonly received: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
  /** Answered 503: the event was not safe in time, or the app was closing. */
  readonly unavailable: number
  /** By name. */
  readonly bots: Readonly<Record<string, Account>>
  /** What was answered 2xx and did not end: handled or given up. */
  readonly lost: readonly string[]
  /** Whatever else must not be, a sentence each. */
  readonly faults: readonly string[]
}

/** Which bot must see what: written down once more, so that nothing of the hub is believed. */
export type Hearing = Readonly<Record<string, (source: string) => boolean>>

/**
 * Holds what the sender was told against what the bots did. It asks the hub nothing.
 * @param sent  the sender's log, oldest first
 * @param runs  the bots' files, each oldest first
 */
export function ledger(sent: readonly Sent[], runs: readonly Run[], hearing: Hearing): Ledger {
  const acknowledged = sent.filter(isAcknowledged)
  const events = new Map(acknowledged.map((one) => [one.key, one]))
  const deliveries = grouped(runs, ({ bot, event }) => `${bot} ${event}`)
  const bots: Record<string, Account> = {}
  const lost: string[] = []
  const faults = [...wrongAnswers(sent, runs), ...wrongRuns(events, deliveries, hearing)]

  for (const [bot, hears] of Object.entries(hearing)) {
    const account = { events: 0, handled: 0, retried: 0, deadLettered: 0, redriven: 0, extra: 0 }
    for (const { key, source, event } of events.values()) {
      if (!hears(source)) continue
      account.events++
      const ended = book(account, deliveries.get(`${bot} ${event}`) ?? [], faults)
      if (!ended) lost.push(`${bot} has not ended ${key}.`)
    }
    bots[bot] = account
  }
  return {
    sent: sent.length,
    received: sent.filter(({ status }) => status !== null).length,
    accepted: acknowledged.filter(({ duplicate }) => !duplicate).length,
    duplicate: acknowledged.filter(({ duplicate }) => duplicate).length,
    rejected: sent.filter(({ status }) => status === 401).length,
    unavailable: sent.filter(({ status }) => status === 503).length,
    bots,
    lost,
    faults,
  }
}

export const balances = ({ lost, faults }: Ledger): boolean => lost.length === 0 && faults.length === 0

const isAcknowledged = ({ status }: Sent): boolean => status !== null && status < 300

function grouped<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const name = nameOf(item)
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  return groups
}

/** Books the runs of one bot for one event. True when they ended: handled, or given up. */
function book(account: Account, runs: readonly Run[], faults: string[]): boolean {
  let before: Run | undefined
  for (const run of runs) {
    if (run.is === 'began' && before?.is === 'failed') {
      if (before.lastAttempt) account.redriven++
      else account.retried++
    } else if (run.is === 'began' && before) {
      account.extra++
      if (!run.redelivered)
        faults.push(`${run.bot} ran ${run.key} again and was not told that it is redelivered.`)
    }
    if (run.is === 'failed' && run.lastAttempt) account.deadLettered++
    before = run
  }
  if (before?.is === 'handled') account.handled++
  return before?.is === 'handled' || (before?.is === 'failed' && before.lastAttempt)
}

/** What a sender should not have been told. */
function wrongAnswers(sent: readonly Sent[], runs: readonly Run[]): string[] {
  const faults: string[] = []
  const ran = new Set<string | null>(runs.map(({ event }) => event))
  for (const [key, requests] of grouped(sent, ({ key }) => key)) {
    const events = new Set(requests.filter(isAcknowledged).map(({ event }) => event))
    const isForgery = requests.some(({ genuine }) => !genuine)
    if (isForgery && events.size > 0) faults.push(`The forgery ${key} was accepted.`)
    if (!isForgery && events.size === 0) faults.push(`${key} was never acknowledged.`)
    if (!isForgery && requests.some(({ status }) => status === 401))
      faults.push(`${key} is genuine and was refused.`)
    if (events.size > 1) faults.push(`${key} was accepted as ${events.size} events.`)
    if (requests.some(({ duplicate, event }) => duplicate && !ran.has(event))) {
      faults.push(`${key} was called a duplicate of an event that no bot has seen.`)
    }
  }
  return faults
}

/** What a bot should not have seen: what was refused, what another bot hears, one event under two ids. */
function wrongRuns(
  events: ReadonlyMap<string, Sent>,
  deliveries: ReadonlyMap<string, readonly Run[]>,
  hearing: Hearing,
): string[] {
  const faults: string[] = []
  for (const [run] of deliveries.values()) {
    if (!run) continue
    const { bot, key, event } = run
    const accepted = events.get(key)
    if (!accepted) faults.push(`${bot} ran ${key}, which was never accepted.`)
    else if (accepted.event !== event) faults.push(`${bot} ran ${key} under an id that nobody was told.`)
    else if (!hearing[bot]?.(accepted.source)) faults.push(`${bot} ran ${key}, which it does not hear.`)
  }
  return faults
}

import type { Ledger, Run, Sent } from './ledger.ts'

/** Who is to hear what. */
export interface Hearing {
  readonly name: string
  readonly hears: (type: string) => boolean
}

export interface Judgement {
  /** One line for each broken promise; none when all held. */
  readonly broken: string[]
  readonly counts: {
    readonly acked: number
    readonly duplicates: number
    readonly unanswered: number
    readonly runs: number
    readonly redelivered: number
    readonly buried: number
    readonly cuts: number
  }
}

const isAck = ({ status }: Sent): boolean => status >= 200 && status < 300

/**
 * Judges what happened by what was written down about it, and by nothing else: the sender's log, the bots' own files,
 * which processes were cut off, and the dead letters at the end.
 *
 * - No acked loss: what got a 2xx is handled by every bot that hears it, or is in that bot's dead letters.
 * - No false duplicate: a 2xx that says "duplicate" has an original, and one key is one event.
 * - Once, or redelivered: a bot runs again only after a failure, or when its process was cut off before the run was
 *   settled; then the run says so.
 * - Nothing unverified is answered 2xx or reaches a bot, and no bot gets other bytes than were sent.
 */
export function judge({ sent, runs, cuts, buried }: Ledger, bots: readonly Hearing[]): Judgement {
  const broken: string[] = []
  const runsOf = groupBy(
    runs.filter(({ key }) => key !== undefined),
    ({ key }) => key!,
  )
  const buriedFor = new Set(buried.map(({ key, bot }) => `${bot} ${key}`))
  const cutPids = new Set(cuts.map(({ pid }) => pid))

  for (const [key, requests] of groupBy(sent, (one) => one.key)) {
    const acks = requests.filter(isAck)
    const ran = runsOf.get(key) ?? []
    const [first] = acks
    if (requests.some(({ forged }) => forged)) {
      if (first) broken.push(`unverified: ${key} was answered ${first.status}`)
      if (ran.length > 0) broken.push(`unverified: ${key} reached a bot`)
      continue
    }
    if (!first) continue
    const missing = bots
      .filter(({ name, hears }) => hears(first.type) && !buriedFor.has(`${name} ${key}`))
      .filter(({ name }) => !ran.some(({ bot, is }) => bot === name && is === 'done'))
    for (const { name } of missing)
      broken.push(`lost: ${key} was answered ${first.status}, and ${name} never handled it`)
    const stored = ran.length > 0 || buried.some((letter) => letter.key === key)
    if (acks.some(({ duplicate }) => duplicate) && !stored)
      broken.push(`false duplicate: ${key} has no original`)
    const events = new Set([...acks, ...ran].map(({ event }) => event))
    if (events.size > 1) broken.push(`two events: ${key} became ${[...events].join(' and ')}`)
    const digests = new Set([...requests, ...ran].flatMap(({ digest }) => digest ?? []))
    if (digests.size > 1) broken.push(`other bytes: a bot got another body for ${key} than was sent`)
  }
  const keys = new Set(sent.map(({ key }) => key))
  for (const key of runsOf.keys())
    if (!keys.has(key)) broken.push(`from nowhere: a bot ran for ${key}, which nobody sent`)

  for (const [delivery, lines] of groupBy(runs, ({ bot, event }) => `${bot} ${event}`)) {
    broken.push(...unjustified(delivery, lines, cutPids))
  }
  return {
    broken,
    counts: {
      acked: new Set(sent.filter(isAck).map(({ key }) => key)).size,
      duplicates: sent.filter((one) => isAck(one) && one.duplicate).length,
      unanswered: sent.filter(({ status }) => status === 0).length,
      runs: runs.filter(({ is }) => is === 'started').length,
      redelivered: runs.filter(({ is, redelivered }) => is === 'started' && redelivered).length,
      buried: buried.length,
      cuts: cuts.length,
    },
  }
}

/** Runs of one delivery that should not have been. */
function unjustified(delivery: string, lines: readonly Run[], cutPids: ReadonlySet<number>): string[] {
  const starts = lines.filter(({ is }) => is === 'started')
  const broken: string[] = []
  for (const [nth, again] of starts.entries()) {
    const before = starts[nth - 1]
    if (!before) {
      if (again.redelivered && cutPids.size === 0)
        broken.push(`redelivered: ${delivery} says so, but nothing was cut off`)
      continue
    }
    const of = lines.filter(({ attempt, pid }) => attempt === before.attempt && pid === before.pid)
    const failed = of.some(({ is }) => is === 'failed')
    const settled = of.some(({ is }) => is === 'settled')
    if (failed) continue // a retry, whether or not the kill came before its wait was stored
    if (settled)
      broken.push(
        `again: ${delivery} ran as attempt ${again.attempt} after attempt ${before.attempt} was settled`,
      )
    else if (!cutPids.has(before.pid))
      broken.push(`again: ${delivery} ran twice, and nobody had cut off the first run`)
    else if (!again.redelivered)
      broken.push(`again: ${delivery} ran after a cut-off run and did not say "redelivered"`)
  }
  return broken
}

function groupBy<One>(all: readonly One[], keyOf: (one: One) => string): Map<string, One[]> {
  const groups = new Map<string, One[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups
}

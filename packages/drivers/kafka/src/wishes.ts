import { randomBytes } from 'node:crypto'
import { pattern, type BotDeclaration, type EventRecord, type Pattern } from '@trigger-hub/core'
import type { RegisteredBot } from '@trigger-hub/core/split'
import type { Place } from './positions.ts'
import type { BotName, Extent } from './topics.ts'

/** What a bot wanted from certain offsets on, by partition; a partition that was added later begins at 0. */
interface Wish {
  readonly on: readonly string[]
  readonly from: readonly number[]
}

/** A bot of the registry. */
export interface KafkaBot extends RegisteredBot, BotName {
  /** What it has wanted since it was declared, oldest first. */
  readonly wishes: readonly Wish[]
  /** All that it had is a dead letter; its topic and its group may still be there. */
  readonly isBuried?: true
}

/** The bots after a declaration, whose wishes hold from the ends of the partitions on. */
export function declared(
  bots: readonly KafkaBot[],
  declarations: readonly BotDeclaration[],
  ends: readonly Extent[],
): KafkaBot[] {
  const from: number[] = []
  for (const { partition, high } of ends) from[partition] = high
  const changed = new Map(bots.map((bot) => [bot.name, bot]))
  for (const { name, on } of declarations) {
    const bot = changed.get(name)
    if (!bot) changed.set(name, { name, id: randomBytes(4).toString('hex'), on, wishes: [{ on, from }] })
    else if (!isSame(bot.on, on)) changed.set(name, { ...bot, on, wishes: [...bot.wishes, { on, from }] })
  }
  return [...changed.values()]
}

/** The bot, whose wishes hold from the beginning on where a log ends before them: it was made anew, or has lost its end. */
export function begunAnew(bot: KafkaBot, ends: readonly Extent[]): KafkaBot {
  const highs = new Map(ends.map(({ partition, high }) => [partition, high]))
  const from = (offset: number, partition: number): number =>
    offset > (highs.get(partition) ?? Infinity) ? 0 : offset
  return { ...bot, wishes: bot.wishes.map((wish) => ({ on: wish.on, from: wish.from.map(from) })) }
}

/** Whether these declarations say something new. */
export const isNew = (bots: readonly KafkaBot[], declarations: readonly BotDeclaration[]): boolean =>
  declarations.some(({ name, on }) => {
    const bot = bots.find((one) => one.name === name)
    return bot === undefined || !isSame(bot.on, on)
  })

/** Without the wishes that a bot has behind it. */
export function pruned(bot: KafkaBot, places: readonly Place[], events: string): KafkaBot {
  const reached = places.filter(({ topic }) => topic === events)
  const passed = bot.wishes.findLastIndex(({ from }) =>
    reached.every(({ partition, position }) => (from[partition] ?? 0) <= position),
  )
  return passed <= 0 ? bot : { ...bot, wishes: bot.wishes.slice(passed) }
}

/** Where a bot begins in a partition of the events. */
export const beginningOf = ({ wishes }: KafkaBot, partition: number): number =>
  wishes[0]?.from[partition] ?? 0

/** Whether a bot wanted such an event when it came. */
export function wanted(
  { wishes }: KafkaBot,
  { source, type }: EventRecord,
  { partition, offset }: { partition: number; offset: number },
): boolean {
  const wish = wishes.findLast(({ from }) => (from[partition] ?? 0) <= offset)
  return wish?.on.some((text) => compiled(text).matches(source, type)) ?? false
}

const patterns = new Map<string, Pattern>()
function compiled(text: string): Pattern {
  const known = patterns.get(text) ?? pattern(text)
  patterns.set(text, known)
  return known
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

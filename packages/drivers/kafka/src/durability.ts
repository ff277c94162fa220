import type { Capabilities, CompanionStore, Report } from '@trigger-hub/core'
import type { Admin } from 'kafkajs'
import type { Connected } from './connected.ts'
import { headerBytes, type Topics } from './topics.ts'
import { isPassing } from './trouble.ts'

export interface Found extends Capabilities, Pick<Report, 'summary' | 'warnings'> {
  /** Shortest and longest session that a member of a group may ask for. */
  readonly sessions: { readonly shortestMs: number; readonly longestMs: number }
}

const topicSettings = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'flush.messages',
  'max.message.bytes',
]
const sessionSettings = ['group.min.session.timeout.ms', 'group.max.session.timeout.ms'] as const
/** Of a broker that was left as it is. */
const usual = { shortestMs: 6_000, longestMs: 1_800_000, batchBytes: 1_048_588 }

const strength = ['none', 'disk', 'replicated'] as const
const range = ['process', 'machine', 'network'] as const
const lesser = <Word>(order: readonly Word[], one: Word, other: Word): Word =>
  order[Math.min(order.indexOf(one), order.indexOf(other))]!

/** What was found, in the words of the brokers. Without settings the brokers do not tell. */
export interface Facts {
  readonly topic: string
  readonly brokers: number
  /** Of each event. */
  readonly copies: number
  readonly settings: ReadonlyMap<string, string>
  readonly store: Pick<CompanionStore, 'name' | 'capabilities'>
}

/** Looks at the settings of the brokers and of the topic, and says what they are worth beside this store. */
export async function look(admin: Connected<Admin>, topics: Topics, store: CompanionStore): Promise<Found> {
  const hidden = (error: unknown): Map<string, string> => {
    if (isPassing(error)) throw error
    return new Map() // many services let nobody look
  }
  const [{ brokers }, ofStore, metadata, settings, ofBroker] = await Promise.all([
    admin.use((one) => one.describeCluster()),
    store.inspect(),
    admin.use((one) => one.fetchTopicMetadata({ topics: [topics.events] })),
    topics.settings(topics.events, topicSettings).catch(hidden),
    topics.broker(sessionSettings).catch(hidden),
  ])
  const copies = Math.min(...(metadata.topics[0]?.partitions ?? []).map(({ replicas }) => replicas.length))
  const worth = judged({ topic: topics.events, brokers: brokers.length, copies, settings, store })
  return {
    ...worth,
    warnings: [...ofStore.warnings, ...worth.warnings],
    maxEventBytes: Number(settings.get('max.message.bytes') ?? usual.batchBytes) - headerBytes,
    sessions: {
      shortestMs: Number(ofBroker.get(sessionSettings[0]) ?? usual.shortestMs),
      longestMs: Number(ofBroker.get(sessionSettings[1]) ?? usual.longestMs),
    },
  }
}

/** What these facts are worth. */
export function judged({
  topic,
  brokers,
  copies,
  settings,
  store,
}: Facts): Omit<Found, 'maxEventBytes' | 'sessions'> {
  const warnings: { code: string; message: string }[] = []
  const warn = (code: string, message: string): void => void warnings.push({ code, message })
  const isTold = settings.size > 0
  const needed = Math.min(Number(settings.get('min.insync.replicas') ?? 1), copies)
  const isFlushed = settings.get('flush.messages') === '1'
  if (!isTold) {
    warn(
      'WARN_KAFKA_SETTINGS_HIDDEN',
      'The Kafka brokers do not tell the settings of the topics, so nothing is promised about what they keep.',
    )
  } else if (copies < 2) {
    warn(
      'WARN_KAFKA_REPLICATION',
      `Topic "${topic}" has one copy: what its broker loses is lost. Use three brokers and a replication factor of 3.`,
    )
  } else if (needed < 2) {
    warn(
      'WARN_KAFKA_MIN_INSYNC',
      `Topic "${topic}" has min.insync.replicas 1: an event is accepted when one broker has it. Set 2.`,
    )
  } else if (needed === copies) {
    warn(
      'WARN_KAFKA_NO_SPARE',
      `Topic "${topic}" has ${copies} copies and waits for all of them: while one of their brokers is away nothing is accepted. Give it one copy more.`,
    )
  }
  if (isTold && needed < 2 && !isFlushed) {
    warn(
      'WARN_KAFKA_FSYNC',
      `Topic "${topic}" is not flushed (flush.messages): what was accepted last is lost when the broker's machine goes down. Set flush.messages 1, or two replicas in sync.`,
    )
  }
  if (settings.get('unclean.leader.election.enable') === 'true') {
    warn(
      'WARN_KAFKA_UNCLEAN_ELECTION',
      `Topic "${topic}" has unclean.leader.election.enable: a broker that lags can become the leader, and what it does not have is lost. Set false.`,
    )
  }
  const deletes = ['retention.ms', 'retention.bytes'].some((name) => Number(settings.get(name) ?? -1) >= 0)
  if (deletes || settings.get('cleanup.policy')?.includes('compact')) {
    warn(
      'WARN_KAFKA_RETENTION',
      `Topic "${topic}" deletes events although a bot may not have had them. Set cleanup.policy delete, retention.ms -1 and retention.bytes -1; the driver frees what it needs no more.`,
    )
  }
  const { reach, durability } = store.capabilities
  if (durability === 'none') {
    warn(
      'WARN_KAFKA_STORE_VOLATILE',
      `The store beside Kafka (${store.name}) keeps nothing for certain: dead letters, bots and the memory of repeats can be lost with it.`,
    )
  }
  if (reach !== 'network') {
    warn(
      'WARN_KAFKA_STORE_LOCAL',
      `The store beside Kafka (${store.name}) is on this machine only: repeats are recognised, and bots work, here only. For several machines use redis(…).`,
    )
  }
  const kept = isTold && needed >= 2 ? 'replicated' : isTold && isFlushed ? 'disk' : 'none'
  const worth = {
    none: 'accepted events can be lost.',
    disk: "every accepted event is on the broker's disk before the answer.",
    replicated: `${needed} brokers have every accepted event before the answer.`,
  }
  const facts = [
    counted(brokers, 'broker', 'brokers'),
    counted(copies, 'copy', 'copies'),
    `min.insync.replicas ${settings.get('min.insync.replicas') ?? 'unknown'}`,
    isFlushed ? 'flushed' : 'not flushed (Kafka leaves that to the operating system)',
    `${store.name} beside it (${durability})`,
  ]
  return {
    durability: lesser(strength, kept, durability),
    reach: lesser(range, 'network', reach),
    summary: `kafka: ${facts.join(', ')}: ${worth[kept]}`,
    warnings,
  }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

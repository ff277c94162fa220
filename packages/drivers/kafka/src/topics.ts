import type { Admin, ConfigResourceTypes, ITopicConfig } from 'kafkajs'
import type { Connected } from './connected.ts'
import { rungs } from './ladder.ts'
import { wantsFewerCopies } from './trouble.ts'

/** `ConfigResourceTypes`, a name of kafkajs that an import from ESM does not find. */
const resources = { topic: 2 as ConfigResourceTypes, broker: 4 as ConfigResourceTypes }

/** A bot's own name on the broker; `id` differs each time it is declared anew. */
export interface BotName {
  readonly name: string
  readonly id: string
}

/** Where a partition begins and ends. */
export interface Extent {
  readonly partition: number
  readonly low: number
  readonly high: number
}

const mb = 1_024 ** 2
const day = 86_400_000

/** The largest batch that topics of ours take, and what of it is left for the headers of an event. */
export const largestBatch = 16 * mb
export const headerBytes = 64 * 1_024

/** What is kept of events that no bot wanted. */
const unmatchedMs = day
const unmatchedBytes = 64 * mb

/** The topics of a hub and the groups that read them. */
export class Topics {
  readonly events: string
  readonly unmatched: string
  readonly #admin: Connected<Admin>
  readonly #prefix: string
  readonly #partitions: number

  constructor(admin: Connected<Admin>, { prefix, partitions }: { prefix: string; partitions: number }) {
    this.#admin = admin
    this.#prefix = prefix
    this.#partitions = partitions
    this.events = `${prefix}.events`
    this.unmatched = `${prefix}.unmatched`
  }

  group({ name, id }: BotName): string {
    return `${this.#prefix}.${name}.${id}`
  }

  /** The private topic of a bot: its retries, and what was redriven. */
  retries(bot: BotName): string {
    return `${this.group(bot)}.retries`
  }

  /** Makes what is missing. */
  async ensure(bots: readonly BotName[] = []): Promise<void> {
    await this.#admin.use(async (admin) => {
      const wanted = [this.events, this.unmatched, ...bots.map((bot) => this.retries(bot))]
      const there = new Set(await admin.listTopics())
      const missing = wanted.filter((topic) => !there.has(topic))
      if (missing.length === 0) return
      await this.#make(admin, missing)
      await ready(admin, missing)
    })
  }

  /** With three copies, or as many as there are brokers for: one that is away for the moment counts, if they have met it. */
  async #make(admin: Admin, topics: readonly string[], copies = 3): Promise<void> {
    try {
      await admin.createTopics({
        topics: topics.map((topic) => this.#settingsOf(topic, copies)),
        waitForLeaders: false, // kafkajs looks every 100 ms
      })
    } catch (error) {
      if (copies === 1 || !wantsFewerCopies(error)) throw error
      await this.#make(admin, topics, copies - 1)
    }
  }

  /** Whether there are no bots of this hub but these, as far as the brokers know. */
  async areAllOf(bots: readonly BotName[]): Promise<boolean> {
    const topics = await this.#admin.use((admin) => admin.listTopics())
    const own = new Set(bots.map((bot) => this.retries(bot)))
    // names of bots and prefixes may have dots, so a hub whose prefix begins with ours is known by its events
    const others = topics.filter((topic) => topic !== this.events && topic.endsWith('.events'))
    const inner = others.map((topic) => topic.slice(0, -'events'.length)).filter((one) => this.#isOurs(one))
    return topics.every(
      (topic) =>
        own.has(topic) ||
        !this.#isOurs(topic) ||
        !/\.[0-9a-f]{8}\.retries$/.test(topic) ||
        inner.some((prefix) => topic.startsWith(prefix)),
    )
  }

  #isOurs(name: string): boolean {
    return name.startsWith(`${this.#prefix}.`)
  }

  async extents(topic: string): Promise<Extent[]> {
    const all = await this.#admin.use((admin) => admin.fetchTopicOffsets(topic))
    return all.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
  }

  /** Removes what a bot had and is still there. */
  async remove(bot: BotName): Promise<void> {
    const topic = this.retries(bot)
    await this.#admin.use(async (admin) => {
      const isThere = async (): Promise<boolean> => (await admin.listTopics()).includes(topic)
      if (!(await isThere())) return
      await admin.deleteTopics({ topics: [topic] }).catch(async (error: unknown) => {
        if (await isThere()) throw error // else another process was faster
      })
    })
    await this.#admin.use((admin) => admin.deleteGroups([this.group(bot)])).catch(() => undefined) // it ends by itself
  }

  /** Frees the records below these offsets. */
  async trim(topic: string, offsets: readonly { partition: number; offset: number }[]): Promise<void> {
    if (offsets.length === 0) return
    const partitions = offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) }))
    await this.#admin.use((admin) => admin.deleteTopicRecords({ topic, partitions }))
  }

  /** Some settings of a topic; undefined where the broker does not tell. */
  settings(topic: string, names: readonly string[]): Promise<Map<string, string>> {
    return this.#admin.use((admin) => described(admin, resources.topic, topic, names))
  }

  /** Some settings of the broker that leads the others; undefined where it does not tell. */
  broker(names: readonly string[]): Promise<Map<string, string>> {
    return this.#admin.use(async (admin) => {
      const { brokers, controller } = await admin.describeCluster()
      return described(admin, resources.broker, String(controller ?? brokers[0]?.nodeId ?? 0), names)
    })
  }

  /** Two copies before the answer where there are brokers for it; on a single one, the disk. */
  #settingsOf(topic: string, copies: number): ITopicConfig {
    const ofUnmatched = { 'retention.ms': unmatchedMs, 'retention.bytes': unmatchedBytes }
    const settings = {
      'cleanup.policy': 'delete',
      ...(topic === this.unmatched ? ofUnmatched : { 'retention.ms': -1, 'retention.bytes': -1 }),
      'max.message.bytes': largestBatch,
      'segment.bytes': 64 * mb,
      'min.insync.replicas': Math.min(2, copies),
      'unclean.leader.election.enable': false,
      ...(copies === 1 ? { 'flush.messages': 1 } : {}),
    }
    return {
      topic,
      numPartitions: topic === this.events ? this.#partitions : topic === this.unmatched ? 1 : rungs.length,
      replicationFactor: copies,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value: String(value) })),
    }
  }
}

async function described(
  admin: Admin,
  type: ConfigResourceTypes,
  name: string,
  names: readonly string[],
): Promise<Map<string, string>> {
  const { resources: all } = await admin.describeConfigs({
    resources: [{ type, name, configNames: [...names] }],
    includeSynonyms: false,
  })
  const entries = all[0]?.configEntries ?? []
  return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
}

/** Resolves when every partition of these topics has a leader. */
async function ready(admin: Admin, topics: string[]): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await admin.fetchTopicMetadata({ topics }).catch(() => ({ topics: [] }))
    const partitions = found.topics.flatMap((topic) => topic.partitions)
    if (found.topics.length === topics.length && partitions.every(({ leader }) => leader >= 0)) return
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

import type { CompanionStore } from '@trigger-hub/core'
import type { Admin } from 'kafkajs'
import type { Connected } from '../src/connected.ts'
import { judged, look, type Facts } from '../src/durability.ts'
import type { Topics } from '../src/topics.ts'
import { unavailable } from '../src/trouble.ts'

const safe = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
  'flush.messages': String(2n ** 63n - 1n),
}

const store: Facts['store'] = { name: 'redis', capabilities: { durability: 'replicated', reach: 'network' } }

/** Three brokers as they should be, but for what is given. */
function found({
  settings = {},
  ...given
}: Partial<Omit<Facts, 'settings'>> & { settings?: object | null } = {}) {
  const all = settings === null ? [] : Object.entries({ ...safe, ...settings } as Record<string, string>)
  return judged({ topic: 'hub.events', brokers: 3, copies: 3, store, ...given, settings: new Map(all) })
}

const flushed = { 'min.insync.replicas': '1', 'flush.messages': '1' }
const inMemory = { name: 'memory', capabilities: { durability: 'none', reach: 'process' } } as const
const onDisk = { name: 'embedded', capabilities: { durability: 'disk', reach: 'machine' } } as const

test.each<[string, Parameters<typeof found>[0], string, string[]]>([
  ['two of three copies before the answer', {}, 'replicated', []],
  ['one copy, flushed', { copies: 1, settings: flushed }, 'disk', ['WARN_KAFKA_REPLICATION']],
  [
    'one copy as Kafka makes it',
    { copies: 1, settings: { 'min.insync.replicas': '1' } },
    'none',
    ['WARN_KAFKA_REPLICATION', 'WARN_KAFKA_FSYNC'],
  ],
  [
    'three copies of which one is waited for',
    { settings: { 'min.insync.replicas': '1' } },
    'none',
    ['WARN_KAFKA_MIN_INSYNC', 'WARN_KAFKA_FSYNC'],
  ],
  [
    'two copies, as made while one of three brokers is away',
    { copies: 2 },
    'replicated',
    ['WARN_KAFKA_NO_SPARE'],
  ],
  [
    'leaders that lag behind',
    { settings: { 'unclean.leader.election.enable': 'true' } },
    'replicated',
    ['WARN_KAFKA_UNCLEAN_ELECTION'],
  ],
  ['a time to live', { settings: { 'retention.ms': '604800000' } }, 'replicated', ['WARN_KAFKA_RETENTION']],
  ['a size', { settings: { 'retention.bytes': '1000000' } }, 'replicated', ['WARN_KAFKA_RETENTION']],
  ['compaction', { settings: { 'cleanup.policy': 'compact' } }, 'replicated', ['WARN_KAFKA_RETENTION']],
  ['settings that are hidden', { settings: null }, 'none', ['WARN_KAFKA_SETTINGS_HIDDEN']],
  ['a store on this machine', { store: onDisk }, 'disk', ['WARN_KAFKA_STORE_LOCAL']],
  ['a store in memory', { store: inMemory }, 'none', ['WARN_KAFKA_STORE_VOLATILE', 'WARN_KAFKA_STORE_LOCAL']],
])('says what an accepted event survives with %s', (_, given, durability, codes) => {
  const report = found(given)
  expect([report.durability, report.warnings.map(({ code }) => code)]).toEqual([durability, codes])
  expect(report.summary).toMatch(/^kafka: 3 brokers, [^\n]*\.$/)
})

test('reaches as far as its store', () => {
  expect([found().reach, found({ store: onDisk }).reach, found({ store: inMemory }).reach]).toEqual([
    'network',
    'machine',
    'process',
  ])
})

/** What is found where the settings cannot be read, for this reason. */
async function unread(reason: object) {
  const failing = () => Promise.reject(unavailable(Object.assign(new Error(), reason)))
  const admin = {
    describeCluster: async () => ({ brokers: [{}, {}, {}] }),
    fetchTopicMetadata: async () => ({ topics: [{ partitions: [{ replicas: [1, 2, 3] }] }] }),
  }
  return look(
    { use: (task: (one: unknown) => unknown) => task(admin) } as unknown as Connected<Admin>,
    { events: 'hub.events', settings: failing, broker: failing } as unknown as Topics,
    { ...store, inspect: async () => ({ warnings: [] }) } as unknown as CompanionStore,
  )
}

test('brokers that do not let us look promise nothing, and one that is away says nothing of them', async () => {
  const { durability, warnings } = await unread({ type: 'CLUSTER_AUTHORIZATION_FAILED' })
  expect([durability, warnings[0]?.code]).toEqual(['none', 'WARN_KAFKA_SETTINGS_HIDDEN'])
  await expect(unread({ name: 'KafkaJSConnectionError' })).rejects.toMatchObject({ status: 503 })
})

import { SetupError, type Capabilities, type Report } from '@trigger-hub/core'
import type { Cluster, Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'

/** What a server makes of an accepted event, in its own settings. Undefined where it does not tell. */
interface Settings {
  readonly version: string
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
  readonly policy: string | undefined
  readonly maxmemory: number
  readonly hasReplicas: boolean
}

export interface Durability extends Pick<Report, 'summary' | 'warnings'> {
  readonly durability: Capabilities['durability']
}

const oldest = [6, 2] as const

/**
 * Looks at the servers' settings and says what they are worth.
 * @throws SetupError `ERR_DRIVER_UNUSABLE` for a server that is too old
 * @throws DriverUnavailableError
 */
export async function durabilityOf(connection: Connection): Promise<Durability> {
  const all = await connection.call(async ({ client }) => {
    const nodes = client.isCluster ? (client as Cluster).nodes('master') : [client as Redis]
    return Promise.all(nodes.map(settingsOf))
  }, patienceMs)
  for (const { version } of all) refuseOld(version)
  const judged = all.map(judge)
  const weakest = judged.find(({ durability }) => durability === 'none') ?? judged[0]
  return {
    durability: weakest?.durability ?? 'none',
    summary: `redis: ${connection.isCluster ? 'cluster, ' : ''}${weakest?.summary ?? 'no server'}`,
    warnings: weakest?.warnings ?? [],
  }
}

async function settingsOf(client: Redis): Promise<Settings> {
  const setting = async (name: string): Promise<string | undefined> => {
    // many services let nobody look at it
    const pair = (await client.config('GET', name).catch(() => [])) as string[]
    return pair[1]
  }
  const [info, appendonly, appendfsync, policy, maxmemory] = await Promise.all([
    client.info(),
    setting('appendonly'),
    setting('appendfsync'),
    setting('maxmemory-policy'),
    setting('maxmemory'),
  ])
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*)\r?$`, 'm').exec(info)?.[1]?.trim()
  return {
    version: field('redis_version') ?? '',
    appendonly: appendonly ?? (field('aof_enabled') === '0' ? 'no' : undefined),
    appendfsync,
    policy: policy ?? field('maxmemory_policy'),
    maxmemory: Number(maxmemory ?? field('maxmemory') ?? 0),
    hasReplicas: Number(field('connected_slaves') ?? 0) > 0,
  }
}

function refuseOld(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new SetupError(
    'ERR_DRIVER_UNUSABLE',
    `The Redis server has version ${version}; the driver needs ${oldest.join('.')} or later, or Valkey.`,
  )
}

function judge({ version, appendonly, appendfsync, policy, maxmemory, hasReplicas }: Settings): Durability {
  const warnings: { code: string; message: string }[] = []
  const warn = (code: string, message: string): void => void warnings.push({ code, message })

  const evicts = policy?.startsWith('allkeys') ?? false
  const isSynced = appendonly === 'yes' && appendfsync === 'always'
  if (appendonly === 'no') {
    warn(
      'WARN_REDIS_NOT_PERSISTED',
      'The Redis server has appendonly no: accepted events are lost when it stops. Set appendonly yes and appendfsync always.',
    )
  } else if (appendonly === undefined || appendfsync === undefined) {
    warn(
      'WARN_REDIS_SETTINGS_HIDDEN',
      'The Redis server does not tell its settings (CONFIG GET), so nothing is promised about what it keeps.',
    )
  } else if (!isSynced) {
    warn(
      'WARN_REDIS_FSYNC',
      `The Redis server has appendfsync ${appendfsync}: ${appendfsync === 'everysec' ? 'about a second' : 'half a minute'} of accepted events is lost when its machine goes down. Set appendfsync always.`,
    )
  }
  if (policy !== undefined && policy !== 'noeviction') {
    const what = evicts ? 'accepted events' : 'the keys by which repeats are recognised'
    warn(
      'WARN_REDIS_EVICTION',
      `The Redis server has maxmemory-policy ${policy}: when it is full it drops ${what}. Set noeviction; then a full server is answered with 503.`,
    )
  }
  if (hasReplicas) {
    warn(
      'WARN_REDIS_FAILOVER',
      'The Redis server has replicas, which it does not wait for: a failover can lose the events that were accepted last.',
    )
  }
  const isKept = isSynced && !(evicts && maxmemory > 0)
  const settings = `appendonly ${appendonly ?? 'unknown'}, appendfsync ${appendfsync ?? 'unknown'}, maxmemory-policy ${policy ?? 'unknown'}`
  return {
    durability: isKept ? 'disk' : 'none',
    summary: `Redis ${version}, ${settings}: ${
      isKept
        ? "every accepted event is on the server's disk before the answer."
        : 'accepted events can be lost.'
    }`,
    warnings,
  }
}

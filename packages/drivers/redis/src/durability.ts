import { SetupError, type Capabilities, type Report } from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { patienceMs } from './registry.ts'

/** What a server makes of an accepted event, in its own settings. Undefined where it does not tell. */
interface Settings {
  /** Name and version. */
  readonly server: string
  /** The version of Redis that it is like. */
  readonly version: string
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
  readonly policy: string | undefined
  readonly maxmemory: number
  readonly replicas: number
}

export interface Durability extends Pick<Report, 'summary' | 'warnings'> {
  readonly durability: Capabilities['durability']
}

const oldest = [6, 2] as const

const asked = ['appendonly', 'appendfsync', 'maxmemory-policy', 'maxmemory'] as const

/**
 * Looks at the settings of the server that has the hub's keys and says what they are worth.
 * @throws SetupError `ERR_DRIVER_UNUSABLE` for a server that is too old
 * @throws DriverUnavailableError
 */
export async function durabilityOf(connection: Connection): Promise<Durability> {
  const settings = await settingsOf(connection)
  refuseOld(settings)
  const { durability, summary, warnings } = judge(settings, connection)
  return { durability, summary: `redis: ${connection.isCluster ? 'cluster, ' : ''}${summary}`, warnings }
}

async function settingsOf(connection: Connection): Promise<Settings> {
  const results = await connection.call(({ client }) => {
    // what has no key goes with what has one, in a cluster to the node of that
    const looks = client.pipeline().exists(connection.key('version')).info()
    for (const name of asked) looks.config('GET', name)
    return looks.exec()
  }, patienceMs)
  const [, [failed, info] = [], ...found] = results ?? []
  if (failed) throw connection.unavailable(failed)
  // many services let nobody look at settings
  const [appendonly, appendfsync, policy, maxmemory] = found.map(([error, pair]) =>
    error ? undefined : (pair as string[])[1],
  )
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*)\r?$`, 'm').exec(String(info))?.[1]?.trim()
  const version = field('redis_version') ?? ''
  const valkey = field('valkey_version')
  return {
    server: valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`,
    version,
    appendonly: appendonly ?? (field('aof_enabled') === '0' ? 'no' : undefined),
    appendfsync,
    policy: policy ?? field('maxmemory_policy'),
    maxmemory: Number(maxmemory ?? field('maxmemory') ?? 0),
    replicas: Number(field('connected_slaves') ?? 0),
  }
}

function refuseOld({ server, version }: Settings): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new SetupError(
    'ERR_DRIVER_UNUSABLE',
    `The server is ${server}; the driver needs Redis ${oldest.join('.')} or later, or Valkey.`,
  )
}

function judge(
  { server, appendonly, appendfsync, policy, maxmemory, replicas }: Settings,
  { replicas: asked, failsOver }: Connection,
): Durability {
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
  if (replicas > 0 && asked === 0) {
    warn(
      'WARN_REDIS_FAILOVER',
      'The Redis server has replicas, which it does not wait for: a failover can lose the events that were accepted last. Say redis(…, { replicas: 1 }).',
    )
  }
  const isKept = isSynced && !(evicts && maxmemory > 0)
  const settings = `appendonly ${appendonly ?? 'unknown'}, appendfsync ${appendfsync ?? 'unknown'}, maxmemory-policy ${policy ?? 'unknown'}`
  const where = "on the server's disk"
  const [durability, promise]: [Capabilities['durability'], string] = !isKept
    ? ['none', 'accepted events can be lost']
    : asked > 0
      ? ['replicated', `every accepted event is ${where} and with ${asked} of its replicas before the answer`]
      : failsOver && replicas > 0
        ? [
            'none',
            `every accepted event is ${where} before the answer, and another server may take its place`,
          ]
        : ['disk', `every accepted event is ${where} before the answer`]
  return { durability, summary: `${server}, ${settings}: ${promise}.`, warnings }
}

import { Cluster, Redis } from 'ioredis'
import { startRedis, startSentinel } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import type { RedisGroup } from '../../../../test/crash/drivers.ts'
import { eventually } from '../../../../test/eventually.ts'

/** Servers of which one takes the place of another. */
export interface Group {
  /** How a client finds them. */
  readonly at: RedisGroup
  readonly client: () => Redis | Cluster
  /** Ends the primary, in a cluster that of the prefix, as if its machine went down. */
  kill(): Promise<void>
  stop(): Promise<void>
}

const portOf = ({ url }: Server): number => Number(new URL(url).port)
const addressOf = (server: Server) => ({ host: '127.0.0.1', port: portOf(server) })
const prompt = ['--repl-diskless-sync-delay', '0']
/** For how long a server is silent before another one takes its place: longer than a busy machine keeps one waiting. */
const silenceMs = 3_000

/** Until then it may also be out of reach. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  await eventually(() => condition().catch(() => false), 60_000)
}

/** Asks a server something over a connection of its own. */
async function asking<T>(server: Server, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url)
  try {
    return await ask(client)
  } finally {
    client.disconnect()
  }
}

const hasReplicas = (server: Server, count: number): Promise<void> =>
  until(() => asking(server, async (client) => (await client.wait(count, 100)) === count))

/** A primary, two replicas and a Sentinel. */
export async function startSentinelGroup(): Promise<Group> {
  const primary = await startRedis({ args: prompt })
  const replicaOf = ['--replicaof', '127.0.0.1', String(portOf(primary))]
  const replicas = await Promise.all([1, 2].map(() => startRedis({ args: [...prompt, ...replicaOf] })))
  await asking(primary, (client) => client.set('written', 1))
  await hasReplicas(primary, 2)
  const sentinel = await startSentinel(primary, silenceMs)
  await until(() =>
    asking(
      sentinel,
      async (client) => ((await client.call('sentinel', 'replicas', 'main')) as unknown[]).length === 2,
    ),
  )
  const servers = [sentinel, ...replicas, primary]
  const at = { sentinels: [addressOf(sentinel)], name: 'main' }
  return {
    at,
    client: () => new Redis(at),
    kill: async () => {
      const [, port] = await asking(
        sentinel,
        (client) => client.call('sentinel', 'get-master-addr-by-name', 'main') as Promise<string[]>,
      )
      await servers.find((server) => portOf(server) === Number(port))?.kill('SIGKILL')
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}

const slots = 16_384

/** A cluster of three primaries, with two replicas of the one that has the keys of a prefix. */
export async function startClusterGroup(prefix: string): Promise<Group> {
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-node-timeout', String(silenceMs)],
    ...prompt,
  ]
  const servers = await Promise.all(Array.from({ length: 5 }, () => startRedis({ args })))
  const [first, second, third, ...spare] = servers as [Server, Server, Server, ...Server[]]
  const primaries = [first, second, third]
  for (const [nth, server] of primaries.entries()) {
    const share = (part: number): number => Math.floor((slots * part) / primaries.length)
    await asking(server, (client) => client.cluster('ADDSLOTSRANGE', share(nth), share(nth + 1) - 1))
  }
  await asking(first, async (client) => {
    for (const server of servers.slice(1)) await client.cluster('MEET', '127.0.0.1', portOf(server))
  })
  for (const server of servers) {
    await until(() =>
      asking(server, async (client) => {
        const info = await client.cluster('INFO')
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:5')
      }),
    )
  }
  const slot = await asking(first, (client) => client.cluster('KEYSLOT', `{${prefix}}:`))
  const owner = primaries[Math.floor((slot * primaries.length) / slots)] ?? first
  const id = await asking(owner, (client) => client.cluster('MYID'))
  for (const server of spare) {
    await until(() => asking(server, async (client) => (await client.cluster('REPLICATE', id)) === 'OK'))
  }
  await hasReplicas(owner, spare.length)
  const at = { nodes: servers.map(addressOf) }
  return {
    at,
    client: () => new Cluster(at.nodes),
    kill: () => owner.kill('SIGKILL'),
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}

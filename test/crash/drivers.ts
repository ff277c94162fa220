import { Socket } from 'node:net'
import { basename, join } from 'node:path'
import type { CompanionStore, Driver } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { kafka } from '@trigger-hub/kafka'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { redis } from '@trigger-hub/redis'
import { Cluster, Redis } from 'ioredis'

/** A driver on servers, by their URLs. `store`: of the Redis that stands beside a broker. */
export type DriverChoice =
  | { readonly is: 'redis'; readonly url: string }
  | ({ readonly is: 'redis group'; readonly prefix: string } & RedisGroup)
  | { readonly is: 'rabbitmq'; readonly url: string; readonly store: string }
  | { readonly is: 'rabbitmq cluster'; readonly urls: readonly string[]; readonly store: string }
  | { readonly is: 'kafka'; readonly url: string; readonly store: string }

/** Redis servers of which one takes the place of another: behind a Sentinel, or a cluster. */
export type RedisGroup =
  | { readonly sentinels: { readonly host: string; readonly port: number }[]; readonly name: string }
  | { readonly nodes: { readonly host: string; readonly port: number }[] }

/** Moments of an accept that only a driver over a broker has. */
export type BrokerPoint = 'after the claim' | 'after the publish' | 'after the confirm'

export interface DriverSurroundings {
  readonly folder: string
  readonly leaseMs: number
  /** Called at each of these moments. */
  readonly at: (point: BrokerPoint) => void
}

/** The driver of a process of the crash runs. All processes of one folder share what it keeps. */
export function driverOf(choice: DriverChoice | undefined, surroundings: DriverSurroundings): Driver {
  const { folder, leaseMs: lease, at } = surroundings
  const prefix = basename(folder)
  if (!choice) return embedded({ path: join(folder, 'hub.db'), lease })
  if (choice.is === 'redis') return redis(choice.url, { prefix, lease })
  if (choice.is === 'redis group') {
    const client = 'nodes' in choice ? new Cluster(choice.nodes) : new Redis(choice)
    return redis(client, { prefix: choice.prefix, lease, replicas: 1 })
  }
  const store = watched(redis(choice.store, { prefix }), at)
  if (choice.is === 'rabbitmq cluster') return rabbitmq({ url: choice.urls, store, prefix, lease })
  watchPublish(choice, () => at('after the publish'))
  if (choice.is === 'kafka') return kafka({ brokers: choice.url, store, prefix, lease })
  const url = new URL(choice.url)
  url.searchParams.set('heartbeat', String(Math.max(1, Math.floor(lease / 2_000))))
  return rabbitmq({ url: url.href, store, prefix, lease })
}

function watched(store: CompanionStore, at: (point: BrokerPoint) => void): CompanionStore {
  const claim = store.claim.bind(store)
  const complete = store.complete.bind(store)
  store.claim = async (key, fingerprint, options) => {
    const claimed = await claim(key, fingerprint, options)
    if (options.trace && !options.trace.bot) at('after the claim') // that of an accept; those of a bot's runs name it
    return claimed
  }
  store.complete = (...args) => {
    at('after the confirm')
    return complete(...args)
  }
  return store
}

/** Of the frame with which AMQP begins a publish: class and method. */
const basicPublish = Buffer.from([0, 60, 0, 40])

const isPublishOf = {
  rabbitmq: (data: Buffer) => data.includes(basicPublish),
  kafka: (data: Buffer) => data.readInt16BE(4) === 0, // a request begins with its length and what it is; 0 is to produce
}

/** Sees the publish when it has gone to the network and nothing can have been read yet. */
function watchPublish({ is, url }: DriverChoice & { is: 'rabbitmq' | 'kafka' }, onPublish: () => void): void {
  const [first = ''] = url.split(',') // of several brokers
  const port = Number(new URL(is === 'kafka' ? `kafka://${first}` : first).port || 5_672)
  const write = Reflect.get(Socket.prototype, 'write') as (...args: unknown[]) => boolean
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    const isRoom = write.apply(this, args)
    const [data] = args
    if (this.remotePort === port && Buffer.isBuffer(data) && isPublishOf[is](data)) onPublish()
    return isRoom
  }
}

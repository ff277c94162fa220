import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { asked } from './asked.ts'
import { cached } from './cached.ts'
import { found } from './debian.ts'
import { maven } from './maven.ts'
import { folderOf, freePort, launch, type Server } from './server.ts'

export interface KafkaOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Where the data is; it stays when the server stops. Default: a new folder. */
  readonly dir?: string
  /** More settings of the broker, as in `server.properties`. */
  readonly config?: Readonly<Record<string, string | number>>
}

const version = '3.9.1' // as in pom.xml
const run = promisify(execFile)

/** Fetches what `startKafka` needs from Maven Central, once. @throws Error that says what to do instead */
export function prepareKafka(): void {
  if (!found('java')) throw new Error('java is not there: install it, start Docker, or set KAFKA_BROKERS.')
  jars()
}

const jars = (): string =>
  cached(join('kafka', version), (folder) =>
    maven('Kafka', folder, 'copy-dependencies', '-f', join(__dirname, 'pom.xml')),
  )

/** Starts an Apache Kafka of our own, one broker in KRaft mode on 127.0.0.1. Its `url` is a list of brokers. */
export async function startKafka(options: KafkaOptions = {}): Promise<Server> {
  const controller = await freePort()
  return startNode({ id: 1, cluster: newCluster(), controllers: [controller], ...options })
}

/** Three brokers, each of them a controller as well. Those who do not answer are passed over after three seconds. */
export async function startKafkaCluster(): Promise<Server[]> {
  const cluster = newCluster()
  const controllers = await Promise.all([freePort(), freePort(), freePort()])
  const config = {
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3_000,
    'offsets.topic.replication.factor': 3,
    'min.insync.replicas': 2,
    'log.cleaner.dedupe.buffer.size': 16 * 1_024 ** 2, // of 128 MB each
  }
  return Promise.all(controllers.map((_, nth) => startNode({ id: nth + 1, cluster, controllers, config })))
}

interface Node extends KafkaOptions {
  /** From 1 on. */
  readonly id: number
  readonly cluster: string
  /** Ports on which the controllers talk to each other, in the order of their ids. */
  readonly controllers: readonly number[]
}

const newCluster = (): string => randomBytes(16).toString('base64url') // may begin with a dash

async function startNode({ id, cluster, controllers, port: given, dir, config }: Node): Promise<Server> {
  prepareKafka()
  const port = given ?? (await freePort())
  const folder = folderOf('kafka', dir)
  const settings = join(folder.path, 'server.properties')
  const all = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': controllers.map((one, nth) => `${nth + 1}@127.0.0.1:${one}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllers[id - 1]}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder.path, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 3,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'controlled.shutdown.enable': false,
    ...config,
  }
  writeFileSync(
    settings,
    Object.entries(all)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  )
  const java = (...args: string[]): string[] => [
    ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(jars(), '*')],
    ...args,
  ]
  const format = ['format', '--ignore-formatted', `--cluster-id=${cluster}`, '-c', settings]
  await run('java', java('kafka.tools.StorageTool', ...format))
  return launch({
    name: 'Kafka',
    url: `127.0.0.1:${port}`,
    program: 'java',
    args: java('kafka.Kafka', settings),
    folder,
    isUp: async () => (await asked(port, apiVersions)) !== undefined,
  })
}

/** A request for the versions that the broker speaks; it is answered once the broker is ready. */
const apiVersions = Buffer.from([0, 0, 0, 11, 0, 18, 0, 0, 0, 0, 0, 1, 0, 1, 0x74])

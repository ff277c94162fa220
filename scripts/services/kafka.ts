import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  prepareKafka()
  const { port = await freePort(), dir, config = {} } = options
  const controller = await freePort()
  const folder = folderOf('kafka', dir)
  const settings = join(folder.path, 'server.properties')
  const all = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
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
  const id = randomBytes(16).toString('base64url') // may begin with a dash
  const format = ['format', '--ignore-formatted', `--cluster-id=${id}`, '-c', settings]
  const formatted = spawnSync('java', java('kafka.tools.StorageTool', ...format), { encoding: 'utf8' })
  if (formatted.status !== 0)
    throw new Error(`Kafka's storage was not formatted: ${formatted.stderr.slice(-1_000)}`)
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

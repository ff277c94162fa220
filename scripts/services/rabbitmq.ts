import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asked } from './asked.ts'
import { found, install } from './debian.ts'
import { folderOf, freePort, launch, type Server } from './server.ts'

export interface RabbitMqOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Where the data is; it stays when the server stops. Default: a new folder. */
  readonly dir?: string
  /** Port of its management API; default: it has none. */
  readonly management?: number
  /** Settings that `rabbitmq.conf` does not know, by name. */
  readonly hidden?: Readonly<Record<string, number>>
  /** More settings, as in `rabbitmq.conf`. */
  readonly config?: Readonly<Record<string, string | number>>
}

/** The program itself, rather than Debian's wrapper on the PATH, which changes the user and the folders. */
function program(): string | undefined {
  const itself = '/usr/lib/rabbitmq/bin/rabbitmq-server'
  return existsSync(itself) ? itself : found('rabbitmq-server')
}

/** Installs what `startRabbitMq` needs. @throws Error that says what to do instead */
export function prepareRabbitMq(): void {
  if (!program()) install('rabbitmq-server')
}

/** Starts a RabbitMQ of our own on 127.0.0.1, a cluster of one node. */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<Server> {
  prepareRabbitMq()
  const { port = await freePort() } = options
  const epmd = await startEpmd()
  return startNode({ ...options, port }, { epmd, ports: [port] }, epmd.end)
}

export interface RabbitMqNode extends Server {
  /** By which the cluster knows it. */
  readonly name: string
  /** URL of its management API. */
  readonly management: string
}

export interface RabbitMqCluster {
  readonly nodes: readonly RabbitMqNode[]
  stop(): Promise<void>
}

/** Starts RabbitMQs of our own on 127.0.0.1 that are one cluster. */
export async function startRabbitMqCluster(
  size: number,
  options: Pick<RabbitMqOptions, 'config' | 'hidden'> = {},
): Promise<RabbitMqCluster> {
  prepareRabbitMq()
  const ports: number[] = []
  while (ports.length < size) ports.push(await freePort())
  const epmd = await startEpmd()
  const start = async (port: number): Promise<RabbitMqNode> => {
    const management = await freePort()
    const node = await startNode({ ...options, port, management }, { epmd, ports })
    return Object.assign(node, {
      name: nameOf(port),
      management: `http://guest:guest@127.0.0.1:${management}`,
    })
  }
  const nodes = await Promise.all(ports.map(start))
  return {
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
      epmd.end()
    },
  }
}

/** What the nodes of a cluster share. */
interface Shared {
  /** Tells them where the others are. */
  readonly epmd: Epmd
  readonly ports: readonly number[]
}

async function startNode(
  { port, dir, management, config = {}, hidden = {} }: RabbitMqOptions & { readonly port: number },
  { epmd, ports }: Shared,
  onStopped: () => void = () => undefined,
): Promise<Server> {
  const distribution = await freePort()
  const folder = folderOf('rabbitmq', dir)
  const inFolder = (name: string): string => join(folder.path, name)
  const settings = {
    ...(management === undefined
      ? {}
      : { 'management.tcp.ip': '127.0.0.1', 'management.tcp.port': management }),
    ...Object.fromEntries(
      ports.map((one, nth) => [`cluster_formation.classic_config.nodes.${nth + 1}`, nameOf(one)]),
    ),
    ...config,
  }
  writeFileSync(
    inFolder('rabbitmq.conf'),
    Object.entries(settings)
      .map((pair) => `${pair.join(' = ')}\n`)
      .join(''),
  )
  writeFileSync(inFolder('env.conf'), '')
  writeFileSync(inFolder('plugins'), management === undefined ? '[].\n' : '[rabbitmq_management].\n')
  return launch({
    name: 'RabbitMQ',
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    program: program() ?? 'rabbitmq-server',
    args: [],
    env: {
      ...epmd.env,
      HOME: folder.path, // where Erlang keeps a cookie, which -setcookie stands for
      RABBITMQ_NODENAME: nameOf(port),
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_CONF_ENV_FILE: inFolder('env.conf'),
      RABBITMQ_CONFIG_FILE: inFolder('rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: inFolder('plugins'),
      RABBITMQ_GENERATED_CONFIG_DIR: inFolder('generated'),
      RABBITMQ_MNESIA_BASE: inFolder('data'),
      RABBITMQ_LOG_BASE: folder.path,
      RABBITMQ_LOGS: '-',
      RABBITMQ_ALLOW_INPUT: 'true', // so that the script becomes the server, whose process id we then know
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
        `-noinput -setcookie trigger-hub-${ports.join('-')} -kernel inet_dist_use_interface {127,0,0,1}`,
        ...Object.entries(hidden).map((pair) => `-rabbit ${pair.join(' ')}`),
      ].join(' '),
    },
    folder,
    isUp: async () => (await asked(port, Buffer.from('AMQP\0\0\x09\x01')))?.[0] === 1,
    onStopped,
  })
}

const nameOf = (port: number): string => `trigger-hub-${port}@localhost`

/** By which nodes on one machine find each other. */
interface Epmd {
  readonly env: Readonly<Record<string, string>>
  readonly end: () => void
}

async function startEpmd(): Promise<Epmd> {
  const port = String(await freePort())
  const env = { ERL_EPMD_PORT: port, ERL_EPMD_ADDRESS: '127.0.0.1' }
  const epmd = spawn('epmd', ['-port', port, '-address', '127.0.0.1'], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  epmd.on('error', () => undefined) // the server says what it misses
  const end = (): void => void epmd.kill('SIGKILL')
  process.once('exit', end)
  return { env, end }
}

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
  const { port = await freePort(), dir, management, config = {}, hidden = {} } = options
  const api =
    management === undefined ? {} : { 'management.tcp.ip': '127.0.0.1', 'management.tcp.port': management }
  const [distribution, epmdPort] = [await freePort(), await freePort()]
  const folder = folderOf('rabbitmq', dir)
  const inFolder = (name: string): string => join(folder.path, name)
  writeFileSync(
    inFolder('rabbitmq.conf'),
    Object.entries({ ...api, ...config })
      .map((pair) => `${pair.join(' = ')}\n`)
      .join(''),
  )
  writeFileSync(inFolder('env.conf'), '')
  writeFileSync(inFolder('plugins'), management === undefined ? '[].\n' : '[rabbitmq_management].\n')
  const env = {
    HOME: folder.path, // the cookie
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `trigger-hub-${port}@localhost`,
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
      '-noinput -kernel inet_dist_use_interface {127,0,0,1}',
      ...Object.entries(hidden).map((pair) => `-rabbit ${pair.join(' ')}`),
    ].join(' '),
  }
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  epmd.on('error', () => undefined) // the server says what it misses
  const endEpmd = (): boolean => epmd.kill('SIGKILL')
  process.once('exit', endEpmd)
  return launch({
    name: 'RabbitMQ',
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    program: program() ?? 'rabbitmq-server',
    args: [],
    env,
    folder,
    isUp: async () => (await asked(port, Buffer.from('AMQP\0\0\x09\x01')))?.[0] === 1,
    onStopped: endEpmd,
  })
}

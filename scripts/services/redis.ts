import { asked } from './asked.ts'
import { found, install } from './debian.ts'
import { folderOf, freePort, launch, type Server } from './server.ts'

export interface RedisOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Where the data is; it stays when the server stops. Default: a new folder. */
  readonly dir?: string
  /** Default `'always'`: on the disk before the answer. */
  readonly appendfsync?: 'always' | 'everysec' | 'no'
  /** More settings, as on the command line: `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[]
}

const program = (): string | undefined => found('redis-server') ?? found('valkey-server')

/** Installs what `startRedis` needs. @throws Error that says what to do instead */
export function prepareRedis(): void {
  if (!program()) install('redis-server')
}

/** Starts a Redis (or Valkey) of our own on 127.0.0.1. */
export async function startRedis(options: RedisOptions = {}): Promise<Server> {
  prepareRedis()
  const { port = await freePort(), dir, appendfsync = 'always', args = [] } = options
  const folder = folderOf('redis', dir)
  return launch({
    name: 'Redis',
    url: `redis://127.0.0.1:${port}`,
    program: program() ?? 'redis-server',
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--daemonize', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', appendfsync, '--save', '', '--logfile', ''],
      ...args,
    ],
    folder,
    // one that wants a password answers as well, and one that still loads its data says so
    isUp: async () => /^(\+PONG|-NOAUTH)/.test(String(await asked(port, Buffer.from('PING\r\n')))),
  })
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  /** Default: the Redis (or Valkey) of this machine. */
  readonly program?: RedisProgram
}

/** Where the program of a server is. */
export interface RedisProgram {
  readonly path: string
  /** Where it finds libraries that this machine need not have. */
  readonly libraries?: string
}

const installed = (): string | undefined => found('redis-server') ?? found('valkey-server')

/** Installs what `startRedis` needs by itself. @throws Error that says what to do instead */
export function prepareRedis(): RedisProgram {
  if (!installed()) install('redis-server')
  return { path: installed() ?? 'redis-server' }
}

/** Starts a Redis (or Valkey) of our own on 127.0.0.1. */
export async function startRedis(options: RedisOptions = {}): Promise<Server> {
  const { port = await freePort(), dir, appendfsync = 'always', args = [] } = options
  const { path, libraries } = options.program ?? prepareRedis()
  const folder = folderOf('redis', dir)
  return launch({
    name: 'Redis',
    url: `redis://127.0.0.1:${port}`,
    program: path,
    ...(libraries === undefined ? {} : { env: { LD_LIBRARY_PATH: libraries } }),
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

/**
 * Starts a Sentinel of our own. It watches a Redis under the name `main`, and has a replica take its place.
 * @param silenceMs  once it has not answered for so long
 */
export async function startSentinel(primary: Server, silenceMs: number): Promise<Server> {
  const { path } = prepareRedis()
  const port = await freePort()
  const folder = folderOf('sentinel', undefined)
  const file = join(folder.path, 'sentinel.conf')
  const settings = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${folder.path}`],
    `sentinel monitor main 127.0.0.1 ${new URL(primary.url).port} 1`,
    ...[`sentinel down-after-milliseconds main ${silenceMs}`, 'sentinel failover-timeout main 3000'],
  ]
  writeFileSync(file, settings.join('\n'))
  return launch({
    name: 'Sentinel',
    url: `redis://127.0.0.1:${port}`,
    program: path,
    args: [file, '--sentinel'],
    folder,
    isUp: async () => String(await asked(port, Buffer.from('PING\r\n'))).startsWith('+PONG'),
  })
}

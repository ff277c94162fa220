import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cached.ts'
import { found } from './debian.ts'
import { maven } from './maven.ts'
import type { RedisProgram } from './redis.ts'
import { unpacked } from './unpacked.ts'

/** A Valkey: the one of this machine, or Debian's. @throws Error that says what to do instead */
export function valkey(): RedisProgram {
  const path = found('valkey-server')
  return path === undefined ? debian('bookworm-backports', 'valkey-server', ['valkey-tools']) : { path }
}

/** A Redis that is older than the driver allows, Debian's of 2021. @throws Error that says what to do instead */
export const redis60 = (): RedisProgram =>
  debian('bullseye', 'redis-server', [
    ...['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'],
    ...['liblua5.1-0', 'lua-cjson', 'lua-bitop', 'libssl1.1'],
  ])

function debian(release: string, name: string, more: readonly string[]): RedisProgram {
  const folder = join(unpacked(release, [name, ...more]), 'usr')
  return { path: join(folder, 'bin', name), libraries: join(folder, 'lib', triplets[process.arch] ?? '') }
}

const triplets: Partial<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** A Redis of the oldest version that the driver allows, from Maven Central. @throws Error that says what to do instead */
export function redis62(): RedisProgram {
  const file = builds[process.arch]
  if (file === undefined || process.platform !== 'linux') {
    throw new Error('Redis 6.2 is not there: start Docker, or name a running server by its variable.')
  }
  const folder = cached(join('redis', '6.2'), (filling) => {
    const artifact = '-Dartifact=com.github.codemonstur:embedded-redis:1.4.3'
    maven('Redis 6.2', filling, 'unpack', artifact, `-Dmdep.unpack.includes=${file}`)
    chmodSync(join(filling, file), 0o755)
  })
  return { path: join(folder, file) }
}

const builds: Partial<Record<string, string>> = {
  x64: 'redis-server-6.2.6-v5-linux-amd64',
  arm64: 'redis-server-6.2.7-linux-arm64',
}

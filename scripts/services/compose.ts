import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { found } from './debian.ts'
import type { ServiceName } from './services.ts'

const root = join(__dirname, '..', '..')

/** As in `compose.yaml`. */
const urls = {
  redis: 'redis://127.0.0.1:16379',
  rabbitmq: 'amqp://guest:guest@127.0.0.1:15673',
  kafka: '127.0.0.1:19092',
  valkey: 'redis://127.0.0.1:16380',
  'redis-6.2': 'redis://127.0.0.1:16381',
  'redis-6.0': 'redis://127.0.0.1:16382',
} satisfies Record<ServiceName, string>

/** Starts a service of `compose.yaml` where a container engine answers. @returns where it is; undefined without one */
export function composed(name: ServiceName): string | undefined {
  if (!found('docker') || !docker('info')) return undefined
  return docker('compose', 'up', '--detach', '--wait', name) ? urls[name] : undefined
}

export function decompose(name: ServiceName): void {
  docker('compose', 'rm', '--force', '--stop', '--volumes', name)
}

const docker = (...args: string[]): boolean =>
  spawnSync('docker', args, { cwd: root, stdio: 'ignore', timeout: 300_000 }).status === 0

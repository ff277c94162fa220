import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const policy = '/usr/sbin/policy-rc.d'

/** Where a program is on the PATH. */
export function found(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

/**
 * Installs a Debian package, if this is Debian and we are root, without letting it start its own service.
 * @throws Error that says what to do instead
 */
export function install(name: string): void {
  if (process.getuid?.() !== 0 || !found('apt-get')) {
    throw new Error(
      `${name} is not there: install it, start Docker, or name a running server by its variable.`,
    )
  }
  const quiet = !existsSync(policy)
  if (quiet) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const lock = ['-o', 'DPkg::Lock::Timeout=300']
    apt('update', ...lock)
    apt('install', '--yes', '--no-install-recommends', ...lock, name)
  } finally {
    if (quiet) rmSync(policy)
  }
}

function apt(...args: string[]): void {
  const { status, stderr } = spawnSync('apt-get', ['-qq', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`apt-get ${args[0]} failed: ${stderr.slice(-1_000)}`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

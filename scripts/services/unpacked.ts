import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cached.ts'
import { found } from './debian.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const mirror = 'http://deb.debian.org/debian'

/**
 * Packages of another Debian release than this machine has, unpacked into the cache. It is done with lists of our own, so
 * that nothing of the machine changes, and nobody has to be root.
 * @returns the folder that has `usr/bin` in it
 * @throws Error that says what to do instead
 */
export function unpacked(release: string, packages: readonly [string, ...string[]]): string {
  return cached(join('debian', `${packages[0]}-${release}`), (folder) => {
    if (!found('apt-get') || !existsSync(keyring)) {
      throw new Error(
        `${packages[0]} of Debian ${release} is not there: start Docker, or name a running server by its variable.`,
      )
    }
    const sources = join(folder, 'sources.list')
    writeFileSync(sources, `deb [signed-by=${keyring}] ${mirror} ${release} main\n`)
    for (const part of ['lists/partial', 'archives/partial']) {
      mkdirSync(join(folder, 'apt', part), { recursive: true })
    }
    const own = [
      ...[`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=-', 'APT::Sandbox::User='],
      ...[`Dir::State=${join(folder, 'apt')}`, `Dir::Cache=${join(folder, 'apt')}`],
    ].flatMap((setting) => ['-o', setting])
    run(folder, 'apt-get', '-qq', ...own, 'update')
    run(folder, 'apt-get', '-qq', ...own, 'download', ...packages.map((name) => `${name}/${release}`))
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      run(folder, 'dpkg-deb', '--extract', file, '.')
    }
    rmSync(join(folder, 'apt'), { recursive: true })
  })
}

function run(cwd: string, program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} failed: ${stderr.slice(-1_000)}`)
}

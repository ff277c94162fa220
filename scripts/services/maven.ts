import { spawnSync } from 'node:child_process'
import { found } from './debian.ts'

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1'

/**
 * Fetches something from Maven Central into a folder, by a goal of its dependency plugin.
 * @throws Error that says what to do instead
 */
export function maven(what: string, folder: string, goal: string, ...args: string[]): void {
  if (!found('mvn')) {
    throw new Error(
      `mvn, to fetch ${what}, is not there: install it, start Docker, or name a running server by its variable.`,
    )
  }
  const all = ['-q', '-B', `${plugin}:${goal}`, `-DoutputDirectory=${folder}`, ...args]
  const { status, stdout } = spawnSync('mvn', all, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`mvn could not fetch ${what}: ${stdout.slice(-1_000)}`)
}

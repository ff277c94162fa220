import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { services, type ServiceName } from '../../scripts/services/services.ts'

/**
 * Registers tests that talk to a server: one that is named by its variable (`REDIS_URL` and so on), one that
 * `npm run services` has brought up, or else one that is started for this run of jest and shared by its files. Where it
 * cannot be had the tests are skipped and it is said why; with `CI=true` that is a failure.
 *
 *     needs('redis', (url) => {
 *       test('…', async () => …)
 *     })
 */
export function needs(name: ServiceName, register: (url: string) => void): void {
  const runner = process.connected ? process.ppid : process.pid // jest's workers are its children
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...typescript, join(__dirname, '../../scripts/services/main.ts'), 'share', name, String(runner)],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  registerIf(name, status === 0 ? undefined : stderr.trim(), () => register(stdout.trim()))
}

/** Registers tests that start servers of their own, to kill them. Skips and fails as `needs` does. */
export function needsOwn(name: ServiceName, register: () => void): void {
  let missing: string | undefined
  try {
    services[name].prepare()
  } catch (error) {
    missing = (error as Error).message
  }
  registerIf(name, missing, register)
}

const typescript = ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs']

function registerIf(name: string, missing: string | undefined, register: () => void): void {
  if (missing === undefined) return register()
  const reason = `${name} is not to be had: ${missing}`
  if (process.env.CI === 'true') throw new Error(reason)
  process.stderr.write(`Skipped: ${reason}\n`)
  describe.skip(reason, register)
}

/** `npm run bench [name …]`: what things cost, as ratios to a baseline of the same run. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Those that need no server come first and are the default. */
const benches = {
  http: 'http/main.ts',
  verify: 'verify.ts',
  attempt: 'attempt.ts',
  embedded: 'embedded.ts',
  redis: 'redis.ts',
  rabbitmq: 'rabbitmq.ts',
  kafka: 'kafka.ts',
}
const withoutServer = ['http', 'verify', 'attempt', 'embedded']

const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : withoutServer) {
  const file = benches[name as keyof typeof benches] as string | undefined
  if (file === undefined) {
    console.error(`There is no bench "${name}". There are: ${Object.keys(benches).join(', ')}.`)
    process.exitCode = 2
    continue
  }
  const { status } = spawnSync(process.execPath, [...process.execArgv, join(__dirname, file)], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}

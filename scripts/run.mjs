/**
 * `node scripts/run.mjs <command> [arguments]`: runs a command of the project from a fresh clone. What is missing is
 * installed first, so that no other command has to come before it.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs'] // TypeScript runs as it is

const commands = {
  demo: (args) => run(process.execPath, [...source, 'examples/demo/main.ts', ...args]),
  services: (args) => run(process.execPath, [...source, 'scripts/services/main.ts', ...args]),
  vectors: (args) => run(process.execPath, [...source, 'scripts/vectors.ts', ...args]),
  bench,
  test: (args) => tests(args),
  'test:crash': (args) =>
    tests(['test/crash', ...args], { CRASH_EVENTS: process.env.CRASH_EVENTS ?? '2000' }),
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
if (!command) {
  console.error(`Unknown command "${name}". There are: ${Object.keys(commands).join(', ')}.`)
  process.exit(2)
}
await install()
process.exitCode = await command(args)

/** Measures the build, as users have it. */
async function bench(args) {
  const code = await run('npm', ['run', '--silent', 'build', '--', '--log-level', 'error'])
  return code || run(process.execPath, ['--require', 'tsx/cjs', 'bench/main.ts', ...args])
}

/** Installs the dependencies if the lock file has changed since they were. Not by `npm ci`: it wants other platforms' packages too. */
async function install() {
  const marker = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(marker) && upToDate()) return
  console.log('Installing dependencies …')
  const code = await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code !== 0) process.exit(code)
}

/** True when every package of the lock file that this machine can use is there in that version. */
function upToDate() {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const have = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, link, peer }]) =>
      !path.startsWith('node_modules/') || optional || peer || link || have[path]?.version === version,
  )
}

/** Runs jest and ends with one plain line of counts. */
async function tests(args, env = {}) {
  const results = join(root, '.cache', `results-${process.pid}.json`)
  mkdirSync(dirname(results), { recursive: true })
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest')
  const code = await run(process.execPath, [...source, jest, '--json', `--outputFile=${results}`, ...args], {
    stdio: ['inherit', 'ignore', 'inherit'], // stdout is the JSON again
    // threads and child processes that tests start run TypeScript as well
    env: {
      ...process.env,
      ...env,
      NODE_OPTIONS: [process.env.NODE_OPTIONS, ...source].filter(Boolean).join(' '),
    },
  })
  if (!existsSync(results)) return code || 1
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = JSON.parse(
    readFileSync(results, 'utf8'),
  )
  rmSync(results)
  console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`)
  return success ? code : code || 1
}

function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.on('error', (error) => {
      console.error(error.message)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)))
  })
}

/**
 * `npm run services [redis rabbitmq kafka …]`: brings up the servers that tests want, says where they are and stops them
 * on Ctrl-C. Tests that run meanwhile use them.
 *
 * `share <service> <pid>` is what tests call: says where the service is, and starts it for the run of the tests with
 * that process id if there is none yet. `keep <service> <pid>` is what then runs beside them.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { isRunning, noted, noteFile, notes } from './notes.ts'
import { isServiceName, services, usual, type ServiceName } from './services.ts'
import { composed, decompose } from './compose.ts'

const [command = '', ...rest] = process.argv.slice(2)

async function up(names: readonly string[]): Promise<void> {
  const wanted = (names.length > 0 ? names : usual).filter(isServiceName)
  const stops: (() => Promise<void>)[] = []
  let isOver = false
  const end = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    rmSync(noteFile('up', process.pid), { force: true })
    await Promise.all(stops.map((stop) => stop()))
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
  const urls: Partial<Record<ServiceName, string>> = {}
  for (const name of wanted) {
    const { variable, start } = services[name]
    const running = process.env[variable]
    const inDocker = running === undefined ? composed(name) : undefined
    if (running === undefined && inDocker === undefined) {
      const server = await start()
      stops.push(() => server.stop())
      urls[name] = server.url
    } else {
      urls[name] = running ?? inDocker ?? ''
      if (inDocker !== undefined) stops.push(async () => decompose(name))
    }
    console.log(`${variable}=${urls[name]}`)
  }
  writeFileSync(noteFile('up', process.pid), JSON.stringify(urls))
  console.log(stops.length > 0 ? 'Ctrl-C stops what was started here.' : 'All of them ran already.')
  if (stops.length === 0) await end()
}

async function share(name: ServiceName, pid: number): Promise<void> {
  const { variable, prepare } = services[name]
  const given = process.env[variable] ?? noted(name, 'up') ?? composed(name)
  if (given !== undefined) return void console.log(given)
  const note = noteFile(name, pid)
  try {
    closeSync(openSync(`${note}.lock`, 'wx'))
    prepare()
    spawn(process.execPath, [...process.execArgv, __filename, 'keep', name, String(pid)], {
      detached: true,
      stdio: 'ignore',
    }).unref()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      rmSync(`${note}.lock`, { force: true })
      throw error
    }
  }
  for (const deadline = Date.now() + 300_000; Date.now() < deadline; await wait(50)) {
    const url = notes(note)?.[name]
    if (url !== undefined) return void console.log(url)
    const failure = notes(note)?.failure
    if (failure !== undefined) throw new Error(failure)
  }
  throw new Error(`${name} did not come up.`)
}

/** Runs a service until the process that it is for has ended. */
async function keep(name: ServiceName, pid: number): Promise<void> {
  const note = noteFile(name, pid)
  try {
    const server = await services[name].start()
    writeFileSync(note, JSON.stringify({ [name]: server.url }))
    while (isRunning(pid)) await wait(250)
    await server.stop()
  } catch (error) {
    writeFileSync(note, JSON.stringify({ failure: String(error) }))
    while (isRunning(pid)) await wait(250)
  }
  rmSync(note, { force: true })
  rmSync(`${note}.lock`, { force: true })
}

async function main(): Promise<void> {
  const [name = '', pid = ''] = rest
  if ((command === 'share' || command === 'keep') && isServiceName(name)) {
    return command === 'share' ? share(name, Number(pid)) : keep(name, Number(pid))
  }
  return up(process.argv.slice(2))
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
})

/** CPU per request of the server process, each variant as a ratio to bare Express measured in the same run. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedded } from '@trigger-hub/embedded'
import { accept, inFlight, measured } from '../accept.ts'
import { load } from './load.ts'
import { requestBytes } from './request.ts'

/** Until everything is compiled, which takes longest for who has most code, and on a busy machine. */
const warmUpMs = 5_000
const measuredMs = 1_500
/** Before each measurement: a server that had nothing to do has lost some of what was compiled to its garbage collector. */
const againWarmMs = 700
const rounds = 5

interface Message {
  port: number
  cpu: NodeJS.CpuUsage
  variants: string[]
}

const start = (variant = ''): ChildProcess => fork(join(__dirname, 'server.ts'), [variant])
const message = async (child: ChildProcess): Promise<Message> =>
  ((await once(child, 'message')) as [Message])[0]

/** A server that keeps running, since the ones that wait cost nothing. */
async function warmServer(variant: string): Promise<{ measure: () => Promise<number>; stop: () => void }> {
  const child = start(variant)
  const { port } = await message(child)
  const request = requestBytes(variant.includes('type in a header') ? 'shopify' : 'stripe')
  const cpuUsed = async (): Promise<number> => {
    child.send('cpu')
    const { cpu } = await message(child)
    return cpu.user + cpu.system
  }
  await load(port, request, warmUpMs)
  return {
    stop: () => void child.kill(),
    async measure() {
      await load(port, request, againWarmMs)
      const before = await cpuUsed()
      const answered = await load(port, request, measuredMs)
      return ((await cpuUsed()) - before) / answered
    },
  }
}

/** Median CPU per request of each variant, in microseconds. */
async function microsecondsPerRequest(): Promise<Map<string, number>> {
  const { variants } = await message(start())
  const costs = new Map<string, number[]>(variants.map((variant) => [variant, []]))
  const servers = new Map<string, Awaited<ReturnType<typeof warmServer>>>()
  try {
    for (const variant of variants) servers.set(variant, await warmServer(variant))
    for (let round = 0; round < rounds; round++) {
      for (const [variant, { measure }] of servers) costs.get(variant)?.push(await measure())
    }
  } finally {
    for (const { stop } of servers.values()) stop()
  }
  return new Map([...costs].map(([variant, values]) => [variant, median(values)]))
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** CPU per accept of the embedded driver, all its threads, in microseconds. */
async function microsecondsPerAccept(events = 20_000): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-bench-'))
  const driver = embedded({ path: join(folder, 'hub.db') })
  try {
    await driver.declare([{ name: 'bench', on: ['*:**'] }])
    await accept(driver, events / 2) // warms up
    return (await measured(events, () => accept(driver, events))).cpuMicros
  } finally {
    await driver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<void> {
  const costs = await microsecondsPerRequest()
  const of = (variant: string): number => costs.get(variant) ?? NaN
  const line = (name: string, micros: number): void =>
    console.log(
      `${name.padEnd(60)} ${micros.toFixed(0).padStart(5)} µs  ${(micros / of('express bare')).toFixed(2)} × bare Express`,
    )
  console.log(`\nCPU per request, Node.js ${process.versions.node}, 2 KB signed body, 64 connections`)
  console.log('(the hub on a driver that keeps nothing and answers a turn of the event loop later)\n')
  for (const [variant, micros] of costs) line(variant, micros)
  line(`embedded driver: an accept, ${inFlight} in flight`, await microsecondsPerAccept())
  console.log('\nWhat the hub adds to bare Express, as a ratio to what raw + HMAC + JSON.parse by hand add')
  console.log(
    'when they answer at once, and when they answer a turn of the event loop later, as the hub does:',
  )
  for (const server of ['', ', createServer']) {
    const added = (variant: string, answer: string): number =>
      of(`express ${variant}${server}`) - of(`express bare${answer}${server}`)
    for (const sender of ['', ', type in a header']) {
      const ratios = ['', ', a turn later'].map((answer) => {
        const ratio = added(`+ hub${sender}`, answer) / added(`raw + HMAC + JSON.parse${answer}`, answer)
        return ratio.toFixed(2).padStart(5)
      })
      console.log(`${`express${sender}${server}`.padEnd(60)} ${ratios.join('  ')}`)
    }
  }
}

void main()

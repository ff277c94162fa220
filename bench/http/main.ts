/** CPU per request of the server process, each variant as a ratio to bare Express measured in the same run. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { load } from './load.ts'
import { requestBytes } from './request.ts'

const warmUpMs = 1_500
const measuredMs = 3_000
const rounds = 3

interface Message {
  port: number
  cpu: NodeJS.CpuUsage
  variants: string[]
}

const start = (variant = ''): ChildProcess => fork(join(__dirname, 'server.ts'), [variant])
const message = async (child: ChildProcess): Promise<Message> =>
  ((await once(child, 'message')) as [Message])[0]

async function microsecondsPerRequest(variant: string): Promise<number> {
  const child = start(variant)
  try {
    const { port } = await message(child)
    const request = requestBytes()
    await load(port, request, warmUpMs)
    const cpuUsed = async (): Promise<number> => {
      child.send('cpu')
      const { cpu } = await message(child)
      return cpu.user + cpu.system
    }
    const before = await cpuUsed()
    const answered = await load(port, request, measuredMs)
    return ((await cpuUsed()) - before) / answered
  } finally {
    child.kill()
  }
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

async function main(): Promise<void> {
  const { variants } = await message(start())
  const measured = new Map<string, number[]>(variants.map((variant) => [variant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [variant, values] of measured) values.push(await microsecondsPerRequest(variant))
  }
  const baseline = median(measured.get('express bare') ?? [])
  console.log(`\nCPU per request, Node.js ${process.versions.node}, 2 KB signed body, 64 connections`)
  console.log('(the hub on a driver that keeps nothing; what a driver costs is measured on its own)\n')
  for (const [variant, values] of measured) {
    const each = median(values)
    console.log(
      `${variant.padEnd(48)} ${each.toFixed(0).padStart(5)} µs  ${(each / baseline).toFixed(2)} × bare Express`,
    )
  }
}

void main()

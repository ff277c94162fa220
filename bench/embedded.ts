/**
 * What the embedded driver costs, as ratios of what the disk of the same machine does in the same run:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/embedded.ts [events]
 *
 * The floor is an append-only file with one fdatasync for each 64 bodies. Figures of a busy machine compare with
 * nothing but their own floor.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { accept, body, inFlight, measured, type Measured } from './accept.ts'

const backlog = 100_000

function append(path: string, events: number): void {
  const file = openSync(path, 'w')
  const group = Buffer.concat(Array.from({ length: inFlight }, () => body))
  for (let n = 0; n < events; n += inFlight) {
    writeSync(file, group)
    fdatasyncSync(file)
  }
  closeSync(file)
}

function consume(driver: Driver, events: number): Promise<void> {
  let settled = 0
  return new Promise((resolve, reject) => {
    const onSettled = (): void => {
      if (++settled === events) resolve()
    }
    const options = { concurrency: 32, onSettled, onError: reject }
    driver.consume('bench', options, async () => ({ is: 'done' })).catch(reject)
  })
}

const line = (name: string, { perSecond, cpuMicros, longestStallMs }: Measured, floor: Measured): void => {
  const columns = [
    name.padEnd(44),
    `${Math.round(perSecond)}/s`.padStart(10),
    `${(perSecond / floor.perSecond).toFixed(2)} of the floor`.padStart(20),
    `${cpuMicros.toFixed(1)} µs CPU`.padStart(14),
    `stall ${longestStallMs.toFixed(1)} ms`.padStart(16),
  ]
  console.log(columns.join(''))
}

async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 20_000)
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-bench-'))
  const driver = embedded({ path: join(folder, 'hub.db') })
  try {
    await driver.declare([{ name: 'bench', on: ['*:**'] }])
    console.log((await driver.inspect()).summary)
    await accept(driver, 1_000) // warms up
    const floor = await measured(events, () => append(join(folder, 'floor'), events))
    line(`floor: append ${body.length} bytes, one fdatasync per ${inFlight}`, floor, floor)
    const empty = await measured(events, () => accept(driver, events))
    line(`accept, ${inFlight} in flight`, empty, floor)
    await accept(driver, Math.max(0, backlog - events - 1_000))
    const floorAgain = await measured(events, () => append(join(folder, 'floor'), events))
    line('floor, once more', floorAgain, floorAgain)
    const full = await measured(events, () => accept(driver, events))
    line(`accept on a backlog of ${backlog}`, full, floorAgain)
    const all = Math.max(backlog, events + 1_000) + events
    const consumed = await measured(all, () => consume(driver, all))
    line('take, run and settle', consumed, floorAgain)
    const ratio = full.cpuMicros / empty.cpuMicros
    console.log(`CPU per accept, backlog of ${backlog} against none: ${ratio.toFixed(2)}`)
  } finally {
    await driver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

void main()

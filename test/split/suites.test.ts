import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverSuite } from '@trigger-hub/conformance'
import { memory } from '@trigger-hub/core/memory'
import { embedded } from '@trigger-hub/embedded'
import { Broker } from './broker.ts'
import { SplitDriver } from './driver.ts'

const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const brokers = new Map<string, Broker>()
function brokerOf(name: string, leaseMs: number): Broker {
  const broker = brokers.get(name) ?? new Broker(leaseMs)
  brokers.set(name, broker)
  return broker
}

describe('a broker and memory()', () =>
  driverSuite({ describe, it }, ({ name, clock, leaseMs }) => {
    return new SplitDriver({ broker: brokerOf(name, leaseMs), store: memory({ clock }), clock, leaseMs })
  }))

describe('a broker and embedded()', () =>
  driverSuite({ describe, it }, ({ name, clock, leaseMs }) => {
    const store = embedded({ path: join(folder, name), clock })
    return new SplitDriver({ broker: brokerOf(name, leaseMs), store, clock, leaseMs })
  }))

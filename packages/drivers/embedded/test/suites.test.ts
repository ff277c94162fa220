import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverSuite, storeSuite } from '@trigger-hub/conformance'
import { embedded } from '@trigger-hub/embedded'

const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('embedded() as a driver', () =>
  driverSuite({ describe, it }, ({ name, clock, leaseMs }) =>
    embedded({ path: join(folder, name), clock, lease: leaseMs }),
  ))
describe('embedded() as a store', () =>
  storeSuite({ describe, it }, ({ name, clock }) => embedded({ path: join(folder, name), clock })))

import { register, type Runner } from '../runner.ts'
import { accepting } from './accepting.ts'
import { carrying } from './carrying.ts'
import { deadLetters } from './dead-letters.ts'
import { delivering } from './delivering.ts'
import { registry } from './registry.ts'
import { retrying } from './retrying.ts'
import { outliving, sharing, surviving } from './sharing.ts'
import { stopping } from './stopping.ts'
import { DriverTrial, type DriverSuiteOptions, type MakeDriver } from './trial.ts'

const groups = {
  'accepting an event': accepting,
  'carrying it unchanged': carrying,
  'delivering it': delivering,
  'trying again': retrying,
  'dead letters': deadLetters,
  'the registry of bots': registry,
  'giving back, draining and closing': stopping,
  'several processes on one backend, if its reach is not "process"': sharing,
  'a restart, if its durability is not "none"': surviving,
}
const groupsOfLeases = { 'a process that dies or stands still, if its reach is not "process"': outliving }

/** The lease of all cases that are not about leases: for none of them may it run out because a machine is busy. */
const longLeaseMs = 20_000

/**
 * Registers what every driver must do.
 *
 *     driverSuite({ describe, it }, ({ name, clock, leaseMs }) =>
 *       embedded({ path: join(folder, name), clock, lease: leaseMs }))
 *
 * @param make  makes a driver, called at least once per case; closing it is the suite's affair
 */
export function driverSuite(runner: Runner, make: MakeDriver, options: DriverSuiteOptions = {}): void {
  register(runner, groups, (body) => DriverTrial.run(make, { ...options, leaseMs: longLeaseMs }, body))
  register(runner, groupsOfLeases, (body) => DriverTrial.run(make, options, body))
}

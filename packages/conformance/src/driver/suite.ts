import { register, type Runner } from '../runner.ts'
import { accepting } from './accepting.ts'
import { delivering } from './delivering.ts'
import { retrying } from './retrying.ts'
import { DriverTrial, type DriverSuiteOptions, type MakeDriver } from './trial.ts'

/**
 * Registers what every driver must do.
 *
 *     driverSuite({ describe, it }, ({ name, clock, leaseMs }) =>
 *       embedded({ path: join(folder, name), clock, lease: leaseMs }))
 *
 * @param make  makes a driver, called at least once per case; closing it is the suite's affair
 */
export function driverSuite(runner: Runner, make: MakeDriver, options: DriverSuiteOptions = {}): void {
  const groups = {
    'accepting an event': accepting,
    'delivering it': delivering,
    'trying again': retrying,
  }
  register(runner, groups, (body) => DriverTrial.run(make, options, body))
}

import { register, type Runner } from '../runner.ts'
import { claiming, closing, fencing, remembering, sharing } from './cases.ts'
import { standingBeside } from './companion.ts'
import { StoreTrial, type MakeStore, type StoreSuiteOptions } from './trial.ts'

const groups = {
  'claiming a key': claiming,
  'remembering a reply': remembering,
  'refusing a late holder': fencing,
  closing: closing,
  'standing beside a broker, if it is a companion': standingBeside,
  'several processes on one backend, if its reach is not "process", and a restart': sharing,
}

/**
 * Registers what every store must do.
 *
 *     storeSuite({ describe, it }, ({ name, clock }) => embedded({ path: join(folder, name), clock }))
 *
 * @param make  makes a store, called at least once per case; closing it is the suite's affair
 */
export function storeSuite(runner: Runner, make: MakeStore, options: StoreSuiteOptions = {}): void {
  register(runner, groups, (body) => StoreTrial.run(make, options, body))
}

import { register, type Runner } from '../runner.ts'
import type { Serve } from './app.ts'
import { beside } from './beside.ts'
import { carrying } from './bodies.ts'
import { guarding } from './guarding.ts'
import { keying } from './keying.ts'
import { leaving } from './leaving.ts'
import { parts } from './parts.ts'
import { receiving } from './receiving.ts'
import { refusing } from './refusing.ts'
import { AdapterTrial } from './trial.ts'

/**
 * Asks of an adapter what every adapter does: the same statuses, headers, problem bodies and events, over real HTTP.
 * Each case builds an app of its own with `serve`.
 */
export function adapterSuite(runner: Runner, name: string, serve: Serve): void {
  runner.describe(name, () => {
    register(
      runner,
      {
        'receives what senders send': receiving,
        'refuses what they did not': refusing,
        'carries bodies as they are': carrying,
        'stands beside the app': beside,
        'lends its parts': parts,
        "guards the app's own routes": guarding,
        'goes by the key': keying,
        'outlives callers that leave': leaving,
      },
      (body) => AdapterTrial.run(serve, body),
    )
  })
}

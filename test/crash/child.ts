import { join } from 'node:path'
import { Forked } from '../processes/forked.ts'
import type { AppOptions, Said, Told } from './app.ts'

export { endAll } from '../processes/forked.ts'

/** One process with an app and a hub. */
export class Child extends Forked {
  /** Resolves when a bot begins its first run there. */
  readonly working: Promise<unknown>

  constructor(options: AppOptions) {
    super(join(__dirname, 'app.ts'), options)
    this.working = this.hears<Said & { is: 'working' }>('working')
  }

  /** Resolves when nothing is left to do and the dead letters are written down. */
  async quiet(): Promise<void> {
    const quiet = this.hears<Said & { is: 'quiet' }>('quiet')
    this.tell('when quiet' satisfies Told)
    await quiet
  }
}

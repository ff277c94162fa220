/** What the suites need of a test runner. Those of jest, vitest, mocha and `node:test` fit as they are. */
export interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, run: () => Promise<void>): void
}

/** Cases by name; each gets a trial of its own. */
export type Cases<Trial> = Readonly<Record<string, (trial: Trial) => Promise<void>>>

/** Registers groups of cases with whatever runner there is. */
export function register<Trial>(
  runner: Runner,
  groups: Readonly<Record<string, Cases<Trial>>>,
  run: (body: (trial: Trial) => Promise<void>) => Promise<void>,
): void {
  for (const [group, cases] of Object.entries(groups)) {
    runner.describe(group, () => {
      for (const [name, body] of Object.entries(cases)) runner.it(name, () => run(body))
    })
  }
}

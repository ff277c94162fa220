import { brokenDrivers, brokenStores, driverSuite, storeSuite, type Runner } from '@trigger-hub/conformance'

/** What a suite registers, by name, run by nobody. */
function casesOf(register: (runner: Runner) => void): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>()
  register({
    describe: (_, body) => body(),
    it(name, run) {
      if (cases.has(name)) throw new Error(`Two cases have the name "${name}".`)
      cases.set(name, run)
    },
  })
  return cases
}

const outcome = (run: () => Promise<void>): Promise<string> =>
  run().then(
    () => 'passes',
    (error: Error) => `fails: ${error.message}`,
  )

// shorter than by default, since most of these wait for what never comes
const options = { patienceMs: 700 }

describe.each(Object.entries(brokenDrivers))('driverSuite finds a driver that %s', (_, { make, fails }) => {
  const cases = casesOf((runner) => driverSuite(runner, make, options))
  it.each(fails)('%s', async (name) => {
    expect(await outcome(cases.get(name)!)).toMatch(/^fails: /)
  })
})

describe.each(Object.entries(brokenStores))('storeSuite finds a store that %s', (_, { make, fails }) => {
  const cases = casesOf((runner) => storeSuite(runner, make, options))
  it.each(fails)('%s', async (name) => {
    expect(await outcome(cases.get(name)!)).toMatch(/^fails: /)
  })
})

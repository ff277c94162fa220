import { adapterSuite, brokenAdapters, type Serve } from '@trigger-hub/conformance'
import { serve } from '../../core/test/http/serve.ts'

/** The cases that the suite registers for an adapter, run by nobody. */
function casesFor(adapter: Serve): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>()
  adapterSuite(
    { describe: (_, body) => body(), it: (name, run) => void cases.set(name, run) },
    'broken',
    adapter,
  )
  return cases
}

for (const [defect, { breaks, fails }] of Object.entries(brokenAdapters)) {
  test.each(fails)(`finds an adapter that ${defect} by the case "%s"`, async (name) => {
    const run = casesFor(breaks(serve)).get(name)
    await expect(run?.()).rejects.toThrow()
  })
}

test('has at least 150 cases, each with a name of its own', () => {
  let registered = 0
  adapterSuite({ describe: (_, body) => body(), it: () => void registered++ }, 'counted', serve)
  expect(casesFor(serve).size).toBe(registered)
  expect(registered).toBeGreaterThanOrEqual(150)
})

import type { Driver } from '../ports/driver.ts'
import { SetupError } from '../words/errors.ts'

/** A name in a variable, so that no bundler looks for the package where it is not wanted. */
const packageName = '@trigger-hub/embedded'

/** And not one of its dependencies, nor an error while it loads. */
const isMissing = new RegExp(`Cannot find (package|module) '${packageName}'`)

/** What Node.js says to `import()` in code that jest has loaded. */
const inJest = '--experimental-vm-modules'

/**
 * The driver of a hub that was given none.
 * @throws SetupError `ERR_DRIVER_MISSING` when the package is not installed, or cannot be loaded by name
 */
export async function defaultDriver(): Promise<Driver> {
  let embedded: { embedded(): Driver }
  try {
    embedded = (await import(packageName)) as typeof embedded
  } catch (cause) {
    if (String(cause).includes(inJest)) {
      throw new SetupError(
        'ERR_DRIVER_MISSING',
        'The hub has no driver, and jest does not let it load the default one. ' +
          'Give the option "driver": memory() of @trigger-hub/core/memory for tests, or embedded() of @trigger-hub/embedded.',
        { cause },
      )
    }
    if (!isMissing.test(String(cause))) throw cause
    throw new SetupError(
      'ERR_DRIVER_MISSING',
      'The hub has no driver. Run: npm install @trigger-hub/embedded (durable, no server), or give the option "driver".',
      { cause },
    )
  }
  return embedded.embedded()
}

import type { Driver } from '../ports/driver.ts'
import { SetupError } from '../words/errors.ts'

/** A name in a variable, so that no bundler looks for the package where it is not wanted. */
const packageName = '@trigger-hub/embedded'

/** And not one of its dependencies, nor an error while it loads. */
const isMissing = new RegExp(`Cannot find (package|module) '${packageName}'`)

/**
 * The driver of a hub that was given none.
 * @throws SetupError `ERR_DRIVER_MISSING` when the package is not installed
 */
export async function defaultDriver(): Promise<Driver> {
  let embedded: { embedded(): Driver }
  try {
    embedded = (await import(packageName)) as typeof embedded
  } catch (cause) {
    if (!isMissing.test(String(cause))) throw cause
    throw new SetupError(
      'ERR_DRIVER_MISSING',
      'The hub has no driver. Run: npm install @trigger-hub/embedded (durable, no server), or give the option "driver".',
      { cause },
    )
  }
  return embedded.embedded()
}

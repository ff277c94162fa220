/**
 * Resolves when this process gets SIGCONT, also where nothing has stopped it: for work that takes as long as a test wants,
 * on a machine of any speed.
 */
export const continued = new Promise<void>((resolve) => process.once('SIGCONT', () => resolve()))

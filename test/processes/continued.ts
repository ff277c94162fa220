/**
 * Resolves when this process gets SIGUSR2: for work that takes as long as a test wants, on a machine of any speed, also where the
 * process is stopped meanwhile.
 */
export const continued = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()))

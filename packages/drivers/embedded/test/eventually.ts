const patienceMs = 15_000

/** Resolves to the first truthy value that `look` gives. */
export async function eventually<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const value = await look()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`It never came to this: ${String(look)}`)
    await new Promise((resume) => setTimeout(resume, 5))
  }
}

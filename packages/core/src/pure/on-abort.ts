const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `task` when the signal aborts, unless the function that it returns was called before. All of them share one
 * listener: a signal compares each further one with all that it has, which thousands of attempts at a time would feel.
 */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  let tasks = waiting.get(signal)
  if (!tasks) {
    const all = (tasks = new Set())
    waiting.set(signal, all)
    signal.addEventListener('abort', () => all.forEach((one) => one()), { once: true })
  }
  tasks.add(task)
  return () => void tasks.delete(task)
}

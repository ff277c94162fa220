import type { Next, Stage } from '../words/request.ts'

/** Stages in order, the first one outermost. */
export const compose =
  (...stages: readonly Stage[]): Stage =>
  (request, next) => {
    const run = (index: number, rest: Next): ReturnType<Stage> => {
      const stage = stages[index]
      return stage ? stage(request, index + 1 < stages.length ? () => run(index + 1, rest) : rest) : rest()
    }
    return run(0, next)
  }

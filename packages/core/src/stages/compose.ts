import { callable } from '../words/options.ts'
import type { Next, Stage } from '../words/request.ts'

/**
 * Stages in order, the first one outermost.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no stage, such as the `verifier` of a source that is not there
 */
export function compose(...stages: readonly Stage[]): Stage {
  for (const stage of stages) callable('stage', stage, 'a stage, such as rawBody()')
  return (request, next) => {
    const run = (index: number, rest: Next): ReturnType<Stage> => {
      const stage = stages[index]
      return stage ? stage(request, index + 1 < stages.length ? () => run(index + 1, rest) : rest) : rest()
    }
    return run(0, next)
  }
}

import { Reflector } from '@nestjs/core'
import { runStage, type Incoming } from '@trigger-hub/core'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Entrance } from './entrance.ts'
import { rawRouteKey } from './raw-routes.ts'

/** What is used of an Express app; 4 keeps its router under another name than 5. */
export interface ExpressApp {
  use(
    middleware: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void,
  ): unknown
  readonly _router?: Router
  readonly router: Router
}

interface Router {
  readonly stack: readonly Layer[]
}

interface Layer {
  match(path: string): boolean
  readonly route?: {
    readonly methods: Readonly<Record<string, boolean>>
    readonly stack: readonly { readonly handle: () => void }[]
  }
}

/** Stands before Nest's parsers, since nothing has been added to the app yet. */
export function onExpress(app: ExpressApp, { endpoint, capture, log }: Entrance): void {
  const isRaw = rawRouteFinder(app)
  app.use((req: Incoming, res, next) => {
    const [path = ''] = (req.url ?? '').split('?', 1)
    const stage = endpoint(path) ?? (capture && isRaw(req.method ?? '', path) ? capture : undefined)
    if (stage) runStage(stage, req, res, next, { log })
    else next()
  })
}

/** Tells whether the route that Express is going to choose is marked. Its router is complete at the first request. */
function rawRouteFinder(app: ExpressApp): (method: string, path: string) => boolean {
  let routes: { layer: Layer; raw: boolean }[] | undefined
  return (method, path) => {
    routes ??= (app._router ?? app.router).stack
      .filter(({ route }) => route)
      .map((layer) => ({ layer, raw: isMarked(layer) }))
    const serves = ({ layer }: { layer: Layer }): boolean => {
      const methods = layer.route?.methods ?? {}
      return Boolean(methods[method.toLowerCase()] ?? methods._all) && layer.match(path)
    }
    return routes.some((one) => one.raw && serves(one)) && routes.find(serves)?.raw === true
  }
}

const isMarked = ({ route }: Layer): boolean =>
  route?.stack.some(({ handle }) => new Reflector().get(rawRouteKey, handle)) ?? false

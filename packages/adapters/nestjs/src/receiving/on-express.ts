import type { IncomingMessage, ServerResponse } from 'node:http'
import { Reflector } from '@nestjs/core'
import { runStage, type Incoming, type Stage } from '@trigger-hub/core'
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
export function onExpress(app: ExpressApp, { endpoint, log }: Entrance): void {
  const rawRoute = rawRouteFinder(app)
  app.use((req: Incoming, res, next) => {
    const [path = ''] = (req.url ?? '').split('?', 1)
    const stage = endpoint(path) ?? rawRoute(req.method ?? '', path)
    if (stage) runStage(stage, req, res, next, { log })
    else next()
  })
}

/** Finds the mark of the route that Express is going to choose. Its router is complete at the first request. */
function rawRouteFinder(app: ExpressApp): (method: string, path: string) => Stage | undefined {
  let routes: Layer[] | undefined
  let marks: Map<Layer, Stage> | undefined
  return (method, path) => {
    routes ??= (app._router ?? app.router).stack.filter(({ route }) => route)
    marks ??= new Map(routes.flatMap((layer) => marked(layer)))
    const serves = (layer: Layer): boolean => {
      const methods = layer.route?.methods ?? {}
      return Boolean(methods[method.toLowerCase()] ?? methods._all) && layer.match(path)
    }
    // most requests are for no marked route, and need not be routed twice
    if (![...marks.keys()].some(serves)) return undefined
    const chosen = routes.find(serves)
    return chosen && marks.get(chosen)
  }
}

function marked(layer: Layer): [Layer, Stage][] {
  const handles = layer.route?.stack.map(({ handle }) => handle) ?? []
  const stages = handles.map((handle) => new Reflector().get<Stage | undefined>(rawRouteKey, handle))
  return stages.flatMap((stage) => (stage ? [[layer, stage]] : []))
}

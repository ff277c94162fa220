import { createServer, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Serve } from '../adapter/app.ts'
import { send, type Got } from '../adapter/send.ts'

/** An adapter's defect, put in front of a sound one, and the cases of `adapterSuite` that must fail on it. */
export interface BrokenAdapter {
  readonly breaks: (sound: Serve) => Serve
  readonly fails: readonly string[]
}

interface Between {
  /** The body as the app gets it. */
  readonly request?: (body: Buffer, path: string) => Buffer
  /** The reply as the sender gets it. */
  readonly reply?: (got: Got, path: string) => Partial<Got>
  /** Goes on with what there is of a body when its sender leaves. */
  readonly half?: true
}

/** Serves the sound app behind a server that changes what goes through. */
const between =
  ({ request = (body) => body, reply = () => ({}), half }: Between): BrokenAdapter['breaks'] =>
  (sound) =>
  async (app) => {
    const served = await sound(app)
    const server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on(half ? 'close' : 'end', () => {
        const path = req.url ?? ''
        const {
          host: _host,
          connection: _closed,
          'content-length': _length,
          'transfer-encoding': _chunks,
          ...headers
        } = req.headersDistinct
        const sent = {
          method: req.method ?? 'POST',
          headers: headers as Record<string, string[]>,
          body: request(Buffer.concat(chunks), path),
        }
        void send(`${served.url}${path}`, sent).then(
          (got) => {
            const { status, headers, body } = { ...got, ...reply(got, path) }
            const {
              'transfer-encoding': _chunked,
              'content-length': _was,
              ...rest
            } = headers as OutgoingHttpHeaders
            res.writeHead(status, rest).end(body)
          },
          () => res.destroy(),
        )
      })
    })
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
        await served.close()
      },
    }
  }

const without =
  (name: string) =>
  ({ headers: { [name]: _dropped, ...headers } }: Got): Partial<Got> => ({ headers })

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** Adapters with one defect each, by what they do wrong: `adapterSuite` is shown to find every one of them. */
export const brokenAdapters: Readonly<Record<string, BrokenAdapter>> = {
  'checks the signature over JSON that it has serialised anew': {
    fails: ['accepts what the sender has signed and hands it to the bot: plain', 'carries JSON'],
    breaks: between({
      request(body) {
        const value = parsed(body)
        return value === undefined ? body : Buffer.from(JSON.stringify(value))
      },
    }),
  },
  'takes bytes for text': {
    fails: ['carries bytes of an unknown type', 'carries JSON that is not UTF-8'],
    breaks: between({ request: (body) => Buffer.from(body.toString('utf8')) }),
  },
  'takes the half of a body for the whole': {
    fails: ['runs no route for a caller that leaves in the middle of a body'],
    breaks: between({ half: true }),
  },
  'tells an unauthenticated sender why': {
    fails: ['answers 401 to a request without a signature, and nothing more: github'],
    breaks: between({
      reply: ({ status, body }) =>
        status === 401
          ? { body: Buffer.from(JSON.stringify({ ...(parsed(body) as object), detail: 'no header' })) }
          : {},
    }),
  },
  'answers 500 where the request is at fault': {
    fails: [
      'answers 401 to a request with an empty signature, and nothing more: stripe',
      'answers 405 to PUT',
    ],
    breaks: between({ reply: ({ status }) => (status > 400 && status < 500 ? { status: 500 } : {}) }),
  },
  'does not say when to come back': {
    fails: [
      'answers 503 with retry-after while the driver is out of reach',
      'answers 409 with retry-after while the first request runs',
    ],
    breaks: between({ reply: without('retry-after') }),
  },
  'does not say that an event is a repeat': {
    fails: ['answers a repeat with 200, the first id and a mark, and runs no bot'],
    breaks: between({ reply: without('trigger-hub-duplicate') }),
  },
  'writes a body where there is none': {
    fails: [
      'accepts what the sender has signed and hands it to the bot: svix',
      'runs the route once and replays an empty body byte for byte',
    ],
    breaks: between({
      reply: ({ status, body }) =>
        status === 200 && body.length === 0 ? { body: Buffer.from(`OK ${performance.now()}`) } : {},
    }),
  },
  "swallows the errors of the app's own routes": {
    fails: [
      "leaves errors of the app's own routes to the app",
      'errors of a route behind verifySignature stay its own',
    ],
    breaks: between({
      reply: ({ status, body }) =>
        status === 500 && body.toString().startsWith('app: ')
          ? { body: Buffer.from('Internal Server Error') }
          : {},
    }),
  },
  "keeps paths of nobody from the app's own routes": {
    fails: ["lets a path that is no source's go on to the app"],
    breaks: between({ reply: (_got, path) => (path === '/webhooks/own' ? { status: 404 } : {}) }),
  },
  'guards nothing': {
    fails: [
      'runs the route once and replays JSON byte for byte',
      'answers 422 to the same key with another body',
      'guards PUT as well',
    ],
    breaks: (sound) => (app) =>
      sound({
        ...app,
        routes: (app.routes ?? []).map((route) => ({
          ...route,
          parts: route.parts.filter(({ is }) => is !== 'idempotency'),
        })),
      }),
  },
  'verifies nothing': {
    fails: [
      'verifySignature refuses before the route runs',
      'enqueue hands the event to a hub, which recognises repeats',
    ],
    breaks: (sound) => (app) =>
      sound({
        ...app,
        routes: (app.routes ?? []).map((route) => ({
          ...route,
          parts: route.parts.filter(({ is }) => is !== 'verifySignature'),
        })),
      }),
  },
}

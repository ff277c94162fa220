import type { Readable } from 'node:stream'
import type {
  IdempotencyOptions,
  Intake,
  OnReject,
  Publish,
  RawBodyOptions,
  TriggerHub,
  VerifySignatureOptions,
  WebhookState,
} from '@trigger-hub/core'
import type { Source } from '@trigger-hub/core/verify'

/** A hub as adapters take it, whatever its sources. */
export type AnyHub = Pick<TriggerHub, 'route' | 'log' | 'accept'>

/** What a route of the app sees of its request. */
export interface Seen {
  readonly body: unknown
  readonly webhook: WebhookState | undefined
}

/** What a route of the app answers. No body is an empty one. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | Readable
}

/** One of the adapter's middlewares with its options. */
export type Part =
  | { readonly is: 'rawBody'; readonly options?: RawBodyOptions & { onReject?: OnReject } }
  | {
      readonly is: 'verifySignature'
      readonly source: Source
      readonly options?: VerifySignatureOptions & { onReject?: OnReject }
    }
  | { readonly is: 'enqueue'; readonly target: Intake | Publish; readonly options?: { onReject?: OnReject } }
  | { readonly is: 'idempotency'; readonly options: IdempotencyOptions & { onReject?: OnReject } }
  /** The framework's own JSON parser. */
  | { readonly is: 'json' }

/** A route of the app: some parts, then a handler, which may throw. Without a handler a part answers. */
export interface Route {
  /** Default `'POST'`. A route for GET answers HEAD as well, as it does in every framework. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly parts: readonly Part[]
  readonly handler?: (seen: Seen) => Answer | Promise<Answer>
}

/**
 * An app in the words of no framework. Its own error handling answers whatever is thrown in it, and is not coded, with
 * 500 and the text `app: <message>`; a path of nobody is answered with 404.
 */
export interface App {
  /** Hubs by the prefix at which they are mounted, in front of everything else. */
  readonly hubs?: Readonly<Record<`/${string}`, AnyHub>>
  /** A JSON parser stands in front of the hubs, where it must not be. */
  readonly parserFirst?: boolean
  readonly routes?: readonly Route[]
}

/** An app that listens on this machine. */
export interface Served {
  /** Without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** Builds the app with the adapter and serves it. */
export type Serve = (app: App) => Promise<Served>

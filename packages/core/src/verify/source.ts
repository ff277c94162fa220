import type { RequestHeaders } from '../words/headers.ts'

/** What verification looks at: the request as the sender made it. */
export interface SignedRequest {
  readonly method: string
  /** Absolute public URL for senders that sign it; path and query are enough for the others. */
  readonly url: string
  readonly headers: RequestHeaders
  readonly rawBody: Buffer
}

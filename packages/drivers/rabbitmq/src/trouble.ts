import { DriverUnavailableError, SetupError } from '@trigger-hub/core'

const lost =
  /\b(ECONNRESET|EPIPE)\b|[Ss]ocket closed|[Cc]hannel (closed|ended)|Connection clos|CONNECTION_FORCED|aborted|[Hh]eartbeat|closing/
const refused = /message nacked/

const fixes: readonly [RegExp, string][] = [
  [/\bACCESS.REFUSED\b.*\blogin\b/i, 'the server refuses the credentials; check user and password.'],
  [/\bACCESS.REFUSED\b/, 'the user may not configure, write and read what begins with the prefix; allow it.'],
  [
    /\bNOT.ALLOWED\b/,
    'the server does not let this user into the virtual host; correct the URL or the permissions.',
  ],
  [/\bECONNREFUSED\b/, 'nobody listens at that address; start the server, or correct the URL.'],
  [/\b(ENOTFOUND|EAI_AGAIN)\b/, 'its name leads nowhere; correct the URL.'],
  [
    /delivery acknowledgement/,
    "a run took longer than the server's consumer_timeout; what it handed out is handed out again, and recognised.",
  ],
  [/\bETIMEDOUT\b|no answer within/, 'the server does not answer.'],
  [lost, 'the connection was lost, and another one is being made.'],
  [
    refused,
    'a queue does not take it; its members may be choosing another leader, or no majority of them is up.',
  ],
]

/** What to do about an error, in one line. */
export function fixOf(error: unknown): string {
  if (error instanceof DriverUnavailableError && error.cause) return fixOf(error.cause)
  const { message = 'it is not connected', code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  const known = fixes.find(([sign]) => sign.test(`${message} ${code}`))
  return known ? known[1] : `${message}.`
}

/** What a call rejects with: a mistake in the set-up as it is, anything else as the server being out of reach. */
export function unavailable(error: unknown): Error {
  if (error instanceof SetupError || error instanceof DriverUnavailableError) return error
  return new DriverUnavailableError('rabbitmq', fixOf(error), { cause: error })
}

/** As when a node has died: what it had is made anew, or has another leader, in a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DriverUnavailableError && error.cause) return isPassing(error.cause)
  const { message = '', code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return [lost, refused].some((sign) => sign.test(`${message} ${code}`))
}

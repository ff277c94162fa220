import {
  explain,
  type Refusal,
  type SignedRequest,
  type Source,
  type VerificationCode,
} from '../verify/index.ts'

const quietMs = 60_000
const mostBytes = 16_384 // looking for the reason writes the body anew and verifies it, some twenty times

/**
 * Why a source refuses a request, in words for the app's log: a wrong secret is the commonest mistake of all. One refusal
 * a minute of each code is told, and of the others undefined, since anybody could fill the log.
 */
export function reasons(
  source: Source,
): (request: SignedRequest, refused: Refusal, nowMs: number) => string | undefined {
  const toldAt = new Map<VerificationCode, number>()
  return (request, { code, message }, nowMs) => {
    // a clock that was set back must not silence it for as long
    if (Math.abs(nowMs - (toldAt.get(code) ?? -Infinity)) < quietMs) return undefined
    toldAt.set(code, nowMs)
    return request.rawBody.length > mostBytes
      ? message
      : (explain(source, request, nowMs)?.message ?? message)
  }
}

import { WebhookError } from '../words/errors.ts'

/**
 * A text that is the same for equal values, whatever the order of their properties: what a body parser left of a body,
 * fit to be fingerprinted.
 * @throws WebhookError `ERR_REQUEST_MALFORMED` for what is nested too deep to be told from another value
 */
export function stableJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_name, inner: unknown) => {
        if (typeof inner === 'bigint') return `${inner}n`
        if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
        return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      }) ?? typeof value
    )
  } catch (cause) {
    throw new WebhookError('ERR_REQUEST_MALFORMED', 'The body is nested too deep to be fingerprinted.', {
      cause,
    })
  }
}

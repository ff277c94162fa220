/**
 * A text that is the same for equal values, whatever the order of their properties: what a body parser left of a body,
 * fit to be fingerprinted. Bytes count as bytes. Never throws: a value that JSON cannot hold counts by its kind.
 */
export function stableJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_name, inner: unknown) => {
        if (typeof inner === 'bigint') return `${inner}n`
        if (inner instanceof Uint8Array) return { bytes: Buffer.from(inner).toString('base64') }
        if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
        return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      }) ?? typeof value
    )
  } catch {
    return typeof value // circular or too deep: nothing that a parser makes
  }
}

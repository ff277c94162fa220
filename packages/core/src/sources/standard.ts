import type { HashScheme } from '../verify/preset.ts'

/**
 * The scheme of Standard Webhooks; the senders that follow it differ by the first word of their headers.
 * @see Standard Webhooks 1.0.0, "Signature scheme"
 */
export const standardScheme = (family: string): HashScheme => ({
  kind: 'hmac',
  algorithm: 'sha256',
  signature: { header: `${family}-signature`, separator: ' ', prefix: 'v1,', encoding: 'base64' },
  signed: '{id}.{timestamp}.{body}',
  id: `${family}-id`,
  timestamp: { header: `${family}-timestamp`, unit: 's', toleranceMs: 300_000 },
  secretEncoding: 'base64',
  secretPrefix: 'whsec_',
})

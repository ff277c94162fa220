import { hash } from 'node:crypto'

/** SHA-256 of the raw body, base64url: tells a repeat from a reused key. */
export const fingerprint = (rawBody: Buffer): string => hash('sha256', rawBody, 'base64url')

/**
 * The name under which a key is remembered: hashed, so that no text of a client reaches a file, a server or a log, and
 * its parts separated, so that two of them never run together. 43 characters.
 */
export function keyName(...parts: readonly string[]): string {
  let name = ''
  for (const part of parts) name += `${part.length}:${part}`
  return hash('sha256', name, 'base64url')
}

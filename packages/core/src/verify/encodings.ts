import { timingSafeEqual } from 'node:crypto'
import type { Encoding } from './preset.ts'

const forms: Record<Encoding, RegExp> = {
  hex: /^[0-9a-f]+$/,
  base64: /^[A-Za-z0-9+/]+={0,2}$/,
  base64url: /^[A-Za-z0-9_-]+$/,
}

/**
 * Whether the text is an encoding of so many bytes as senders write it: hex in lower case, base64 padded, base64url not.
 * `Buffer.from` would skip what it does not know and stop where it likes.
 */
export const isEncoded = (text: string, encoding: Encoding, byteLength: number): boolean =>
  text.length === encodedLength(byteLength, encoding) && forms[encoding].test(text)

/** How many characters so many bytes take. */
export const encodedLength = (byteLength: number, encoding: Encoding): number =>
  encoding === 'hex'
    ? byteLength * 2
    : encoding === 'base64'
      ? Math.ceil(byteLength / 3) * 4
      : Math.ceil((byteLength * 4) / 3)

/** The bytes, or undefined if encoding them again does not give the same text. */
export function decoded(text: string, encoding: Encoding): Buffer | undefined {
  const bytes = Buffer.from(text, encoding)
  return bytes.toString(encoding) === text ? bytes : undefined
}

/**
 * Compares encoded texts of one length in constant time, in two buffers that are made once: a comparison ends before the
 * next one begins. For text that `isEncoded` has passed; another character would be cut to a byte.
 */
export function comparison(length: number): (a: string, b: string) => boolean {
  const [left, right] = [Buffer.alloc(length), Buffer.alloc(length)]
  return (a, b) =>
    a.length === length &&
    left.write(a, 'latin1') === length &&
    right.write(b, 'latin1') === length &&
    timingSafeEqual(left, right)
}

/** Compares in a time that depends on the lengths alone. */
export function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

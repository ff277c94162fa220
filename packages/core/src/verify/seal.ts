import { randomUUID } from 'node:crypto'
import { RequestHeaders } from '../words/headers.ts'
import type { Scheme, TimestampPlace } from './preset.ts'
import type { Message, Source } from './source.ts'
import { signedBytes, type Part } from './template.ts'

/** Makes the headers that a scheme reads, with `signature` for the signature itself. */
export const sealed =
  (
    scheme: Scheme,
    parts: readonly Part[],
    signature: (pieces: readonly (string | Buffer)[], message: Message) => string,
  ): NonNullable<Source['seal']> =>
  (message) => {
    const { method = 'POST', url = '/', headers = {}, rawBody, nowMs } = message
    const claims = {
      timestamp:
        scheme.timestamp && scheme.timestamp.body === undefined ? written(scheme.timestamp, nowMs) : '',
      id: scheme.id === undefined ? '' : (message.id ?? `msg_${randomUUID()}`),
    }
    const request = { method, url, headers: RequestHeaders.from(headers), rawBody }
    const pieces = signedBytes(parts, request, claims)
    if (!pieces) throw new TypeError('A header that the signature covers is missing: put it into headers.')
    const { header, prefix = '', separator = '' } = scheme.signature
    const entry = scheme.timestamp?.entry
    const before = entry === undefined ? '' : `${entry}${claims.timestamp}${separator}`
    return {
      ...headers,
      ...(scheme.id === undefined ? {} : { [scheme.id]: claims.id }),
      ...(scheme.timestamp?.header === undefined ? {} : { [scheme.timestamp.header]: claims.timestamp }),
      [header]: `${before}${prefix}${signature(pieces, message)}`,
    }
  }

const written = ({ unit }: TimestampPlace, nowMs: number): string =>
  unit === 's'
    ? String(Math.floor(nowMs / 1_000))
    : unit === 'ms'
      ? String(nowMs)
      : new Date(nowMs).toISOString()

import type { AttemptRecord, EventRecord } from '@trigger-hub/core'

const lengthBytes = 4
const suspected = 's'.charCodeAt(0)

/** An event as bytes: the length of its attributes, the attributes as JSON, the body as it is. */
export function recordOf({ rawBody, ...attributes }: EventRecord): Buffer {
  const json = Buffer.from(JSON.stringify(attributes))
  const length = Buffer.allocUnsafe(lengthBytes)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, rawBody])
}

/** The event of a record. Its first byte is the server's: whether it suspected a replay. */
export function eventOf(record: Buffer): EventRecord {
  const body = 1 + lengthBytes + record.readUInt32BE(1)
  const attributes = JSON.parse(record.toString('utf8', 1 + lengthBytes, body)) as Omit<
    EventRecord,
    'rawBody'
  >
  return {
    ...attributes,
    ...(record[0] === suspected ? { marks: [...(attributes.marks ?? []), 'replay-suspected'] } : {}),
    rawBody: record.subarray(body),
  }
}

export const historyOf = (json: Buffer | string): AttemptRecord[] =>
  JSON.parse(String(json)) as AttemptRecord[]

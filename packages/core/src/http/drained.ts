import { Readable } from 'node:stream'

/** All bytes of a stream, if they are at most `limit`; else a stream that has all of them, what was read and the rest. */
export async function drained(stream: Readable, limit: number): Promise<Buffer | Readable> {
  const chunks: Buffer[] = []
  let size = 0
  const rest = stream[Symbol.asyncIterator]()
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    const chunk = Buffer.from(next.value as Uint8Array | string)
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) return Readable.from(following(chunks, rest), { objectMode: false })
  }
  return Buffer.concat(chunks)
}

async function* following(chunks: Iterable<Buffer>, rest: AsyncIterator<unknown>): AsyncGenerator {
  yield* chunks
  yield* { [Symbol.asyncIterator]: () => rest }
}

import type { Socket } from 'node:net'

/** Each answer begins with the length of the rest. */
const lengthBytes = 4

/**
 * Lets those who listen to a connection hear whole answers alone. kafkajs keeps the half of an answer in which its connection
 * broke off, takes what comes on the next connection for the rest of it, and understands nothing more from then on.
 * @returns the socket
 * @see Kafka protocol guide, "Protocol Primitive Types" and "Common Request and Response Structure": RequestOrResponse => Size …
 */
export function inWholeAnswers(socket: Socket): Socket {
  const on = socket.on.bind(socket)
  socket.on = ((name: string, listener: (piece: Buffer) => void) =>
    on(name, name === 'data' ? whole(listener) : listener)) as Socket['on']
  return socket
}

function whole(hear: (answers: Buffer) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = []
  let had = 0
  let needed = lengthBytes
  return (piece) => {
    pieces.push(piece)
    had += piece.length
    if (had < needed) return
    const all = pieces.length === 1 ? piece : Buffer.concat(pieces, had)
    let end = 0
    for (needed = neededFrom(all, 0); end + needed <= all.length; needed = neededFrom(all, end)) end += needed
    if (end > 0) hear(all.subarray(0, end))
    pieces = end < all.length ? [all.subarray(end)] : []
    had = all.length - end
  }
}

/** How many bytes the answer has that begins here, as far as that is known. */
const neededFrom = (all: Buffer, start: number): number =>
  all.length - start < lengthBytes ? lengthBytes : lengthBytes + all.readUInt32BE(start)

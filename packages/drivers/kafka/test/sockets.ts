import { connect, type Socket } from 'node:net'
import type { ISocketFactory } from 'kafkajs'

/** The connections of one client, which can be stopped as those of a process that is suspended. */
export class Sockets {
  readonly #all = new Set<Socket>()
  #isFrozen = false

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port, noDelay: true }, onConnect)
    this.#all.add(socket)
    if (this.#isFrozen) socket.pause()
    return socket.once('close', () => this.#all.delete(socket))
  }

  /** No answer is read, and so nothing more is asked. */
  freeze(isFrozen: boolean): void {
    this.#isFrozen = isFrozen
    for (const socket of this.#all) {
      if (isFrozen) socket.pause()
      else socket.resume()
    }
  }
}

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** In which the last bytes are read. A client that finds the reset at once behind them takes it for an end in good order. */
const readMs = 20

/** What happens to bytes that come through. */
type Weather =
  | { readonly is: 'fair' }
  /** Each piece arrives this much later. */
  | { readonly is: 'slow'; readonly ms: number }
  /** Nothing arrives, or no answer does, until it is fair: as if a process or its machine stood still. */
  | { readonly is: 'stalled'; readonly what: 'everything' | 'answers' }
  /** Nothing arrives on either side, and neither is told. */
  | { readonly is: 'half-open' }
  /** The server hears everything, and its answers are lost. */
  | { readonly is: 'deaf' }
  /** Connections are reset, and new ones as well. */
  | { readonly is: 'away' }

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** What was stalled, in its order. */
  readonly held: (() => void)[]
  /** What was slowed down and is still on its way, to each side in its order. */
  readonly slowed: Map<Socket, { readonly data: Buffer; readonly at: number }[]>
  /** It was half-open once: what was lost does not come back, so it stays dead when the weather changes. */
  isDead: boolean
}

/**
 * Stands between a client and a server on 127.0.0.1 and does what networks do. Begins fair; every method changes what
 * happens from then on, to connections that are there and to new ones.
 */
export class Proxy {
  readonly #listener: Server
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  #weather: Weather = { is: 'fair' }
  /** Bytes of answers that still come through before everything is reset. */
  #answersLeft = Infinity
  #onCut = (): void => undefined

  private constructor(target: number) {
    this.#target = target
    this.#listener = createServer((client) => this.#join(client))
  }

  /** @param target  port of the server */
  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Everything comes through, first what was stalled; connections that were half-open stay dead. */
  fair(): void {
    this.#weather = { is: 'fair' }
    this.#answersLeft = Infinity
    for (const { held } of this.#pairs) for (const carry of held.splice(0)) carry()
  }

  /** Whether something is on its way that was slowed down. */
  get isSlowing(): boolean {
    return [...this.#pairs].some(({ slowed }) => [...slowed.values()].some((queue) => queue.length > 0))
  }

  stall(what: 'everything' | 'answers' = 'everything'): void {
    this.#weather = { is: 'stalled', what }
  }

  slow(ms: number): void {
    this.#weather = { is: 'slow', ms }
  }

  halfOpen(): void {
    this.#weather = { is: 'half-open' }
    for (const pair of this.#pairs) pair.isDead = true
  }

  deaf(): void {
    this.#weather = { is: 'deaf' }
    for (const pair of this.#pairs) pair.isDead = true
  }

  away(): void {
    this.#weather = { is: 'away' }
    this.reset()
  }

  /** Resets the connections that are there. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** Resets everything in the middle of an answer: after this many more bytes of answers. Resolves when that has happened. */
  cutAfter(bytes: number): Promise<void> {
    this.#answersLeft = bytes
    return new Promise((resolve) => (this.#onCut = resolve))
  }

  async close(): Promise<void> {
    this.reset()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const pair: Pair = { client: client.setNoDelay(), server, held: [], slowed: new Map(), isDead: false }
    this.#pairs.add(pair)
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined) // `close` follows
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
    }
    client.on('data', (data) => this.#carry(pair, data, server))
    server.on('data', (data) => this.#carry(pair, data, client))
    if (this.#weather.is === 'away') client.resetAndDestroy()
  }

  #carry(pair: Pair, data: Buffer, to: Socket): void {
    const weather = this.#weather
    const isAnswer = to === pair.client
    if (weather.is === 'half-open' || (weather.is === 'deaf' && isAnswer)) return
    if (pair.isDead && (isAnswer || weather.is !== 'deaf')) return
    if (weather.is === 'stalled' && (isAnswer || weather.what === 'everything')) {
      pair.held.push(() => to.write(data))
      return
    }
    if (weather.is === 'slow' || pair.slowed.get(to)?.length) {
      this.#delay(pair, data, to, weather.is === 'slow' ? weather.ms : 0)
      return
    }
    if (!isAnswer) return void to.write(data)
    if (this.#answersLeft <= 0) return
    to.write(data.subarray(0, Math.min(data.length, this.#answersLeft)))
    this.#answersLeft -= data.length
    if (this.#answersLeft > 0) return
    setTimeout(() => {
      this.#answersLeft = Infinity
      this.reset()
      this.#onCut()
    }, readMs)
  }

  /** Bytes do not overtake each other, also when the weather changes. */
  #delay({ slowed }: Pair, data: Buffer, to: Socket, ms: number): void {
    const queue = slowed.get(to) ?? []
    slowed.set(to, queue)
    queue.push({ data, at: performance.now() + ms })
    if (queue.length > 1) return
    const next = (): void => {
      const [first] = queue
      if (!first) return
      const left = first.at - performance.now()
      if (left > 0) return void setTimeout(next, Math.ceil(left))
      to.write(first.data)
      queue.shift()
      next()
    }
    next()
  }
}

/**
 * Tells an attempt to end. The signal is made at the first look, since most handlers never look at it and it costs more
 * than all the rest of an attempt.
 */
export class Stop {
  /** Rejects with the reason. */
  readonly asked: Promise<never>
  #reason: Error | undefined
  #reject!: (reason: Error) => void
  #controller: AbortController | undefined

  constructor() {
    this.asked = new Promise((_, reject) => (this.#reject = reject))
    this.asked.catch(() => undefined)
  }

  get isAsked(): boolean {
    return this.#reason !== undefined
  }

  /** The first reason counts. */
  ask(reason: Error): void {
    if (this.#reason) return
    this.#reason = reason
    this.#reject(reason)
    this.#controller?.abort(reason)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }
}

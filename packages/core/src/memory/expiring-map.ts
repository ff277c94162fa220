/** A map whose entries vanish after a while. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, { value: Value; until: number }>()
  readonly #now: () => number

  /** @param now  milliseconds on whatever clock the entries live by */
  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > this.#now() ? entry.value : undefined
  }

  set(key: string, value: Value, forMs: number): void {
    this.#forget()
    this.#entries.delete(key) // so that the entry moves to the end
    this.#entries.set(key, { value, until: this.#now() + forMs })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  *values(): Generator<Value> {
    const now = this.#now()
    for (const { value, until } of this.#entries.values()) if (until > now) yield value
  }

  /** Oldest first and only as far as they are over: most entries live equally long, so few are kept for nothing. */
  #forget(): void {
    for (const [key, { until }] of this.#entries) {
      if (until > this.#now()) return
      this.#entries.delete(key)
    }
  }
}

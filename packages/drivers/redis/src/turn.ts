/**
 * Collects what is asked for in one turn of the event loop and does it in one go. A slice of it when it is much, so that
 * the server gets to others in between.
 */
export class Turn<Item, Result> {
  readonly #perform: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #mostItems: number
  #collected: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = []

  /** @param perform  resolves to a result for each item, in their order */
  constructor(mostItems: number, perform: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#mostItems = mostItems
    this.#perform = perform
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#collected.length === 0) setImmediate(() => this.#flush())
      this.#collected.push({ item, resolve, reject })
    })
  }

  #flush(): void {
    const all = this.#collected
    this.#collected = []
    for (let from = 0; from < all.length; from += this.#mostItems) {
      const slice = all.slice(from, from + this.#mostItems)
      this.#perform(slice.map(({ item }) => item)).then(
        (results) => slice.forEach(({ resolve }, nth) => resolve(results[nth] as Result)),
        (error: unknown) => {
          for (const { reject } of slice) reject(error)
        },
      )
    }
  }
}

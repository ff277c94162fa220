import type { DeadLetterFilter, DeadLetterPage, DeadLetters } from '../ports/driver.ts'
import type { DeadLetter } from '../words/delivery.ts'

/**
 * Dead letters in the order in which they came. The number in front of an id is the letter's place in that order: a
 * delivery that dies again gets another one, so a redrive that is sent twice finds nothing the second time, and a page
 * is found again when the letter that it went up to is gone.
 */
export class MemoryDeadLetters implements DeadLetters {
  readonly #letters = new Map<number, DeadLetter>()
  readonly #revive: (letter: DeadLetter) => boolean
  #last = 0

  /** @param revive  puts a letter back; false when there is no bot to put it back for */
  constructor(revive: (letter: DeadLetter) => boolean) {
    this.#revive = revive
  }

  add(letter: Omit<DeadLetter, 'id'>, delivery: string): void {
    const place = ++this.#last
    this.#letters.set(place, { ...letter, id: `${place}.${delivery}` })
  }

  /** Adds a letter unless one of the same delivery and generation is there. */
  addOnce(letter: Omit<DeadLetter, 'id'>, once: string): void {
    if (this.count(({ id }) => id === `${placeOf(id)}.${once}`) === 0) this.add(letter, once)
  }

  count(which: (letter: DeadLetter) => boolean): number {
    return [...this.#letters.values()].filter(which).length
  }

  async list({ after, limit = 100, ...filter }: DeadLetterFilter & DeadLetterPage = {}): Promise<
    DeadLetter[]
  > {
    const from = after === undefined ? 0 : placeOf(after)
    const rest = this.#chosen(filter).filter((letter) => placeOf(letter.id) > from)
    return rest.slice(0, limit)
  }

  async read(id: string): Promise<DeadLetter | undefined> {
    return this.#chosen(id)[0]
  }

  async redrive(which: string | DeadLetterFilter): Promise<number> {
    return this.#remove(this.#chosen(which).filter(this.#revive))
  }

  async discard(which: string | DeadLetterFilter): Promise<number> {
    return this.#remove(this.#chosen(which))
  }

  #chosen(which: string | DeadLetterFilter): DeadLetter[] {
    if (typeof which === 'string') {
      const letter = this.#letters.get(placeOf(which))
      return letter?.id === which ? [letter] : []
    }
    const { bot, reason, event, since = 0 } = which
    return [...this.#letters.values()].filter(
      (letter) =>
        (bot === undefined || letter.bot === bot) &&
        (reason === undefined || letter.reason === reason) &&
        (event === undefined || letter.event.id === event) &&
        letter.at >= since,
    )
  }

  #remove(letters: readonly DeadLetter[]): number {
    for (const { id } of letters) this.#letters.delete(placeOf(id))
    return letters.length
  }
}

const placeOf = (id: string): number => Number.parseInt(id, 10)

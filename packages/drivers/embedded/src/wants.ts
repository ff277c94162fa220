import { pattern, type Pattern } from '@trigger-hub/core'

interface Era {
  /** It holds for the events after this one, up to the next era. */
  readonly after: number
  readonly on: readonly string[]
}

/** The part of an event that patterns look at. */
export interface Routed {
  readonly seq: number
  readonly source: string
  readonly type: string
}

/**
 * What a bot wanted when. Its patterns may change while events wait for it, and those that were accepted under the old
 * ones are still its own: each event goes by the patterns of its time.
 */
export class Wants {
  readonly #eras: readonly Era[]
  readonly #patterns: readonly (readonly Pattern[])[]

  private constructor(eras: readonly Era[]) {
    this.#eras = eras
    this.#patterns = eras.map(({ on }) => on.map(pattern))
  }

  /** From the column of the registry; compiled once. */
  static parse(json: string): Wants {
    let wants = compiled.get(json)
    if (!wants) compiled.set(json, (wants = new Wants(JSON.parse(json) as Era[])))
    return wants
  }

  /** The patterns that hold for new events. */
  get on(): readonly string[] {
    return this.#eras.at(-1)?.on ?? []
  }

  has({ seq, source, type }: Routed): boolean {
    let era = this.#eras.length - 1
    while (era >= 0 && (this.#eras[era]?.after ?? 0) >= seq) era--
    return this.#patterns[era]?.some((one) => one.matches(source, type)) ?? false
  }

  /** The column when `on` holds for what comes after `last`; eras that the bot has left behind are forgotten. */
  static changed(before: string | undefined, on: readonly string[], last: number, cursor: number): string {
    const eras = before === undefined ? [] : (JSON.parse(before) as Era[])
    if (JSON.stringify(eras.at(-1)?.on) === JSON.stringify(on)) return before ?? ''
    const kept = eras.filter((_, nth) => (eras[nth + 1]?.after ?? last) > cursor)
    return JSON.stringify([...kept, { after: last, on }])
  }
}

const compiled = new Map<string, Wants>()

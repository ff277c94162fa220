import { textOf } from './options.ts'

/**
 * The header lines of one request as they were received: names in any case, repeated lines kept apart.
 * A scan of some twenty short names is faster than building a map for the two or three that are asked for.
 */
export class RequestHeaders {
  readonly #lines: readonly string[]

  /** @param lines names and values in turn, as Node's `rawHeaders` */
  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  static from(record: Readonly<Record<string, string | readonly string[] | undefined>>): RequestHeaders {
    const lines: string[] = []
    for (const [name, value] of Object.entries(record)) {
      for (const one of typeof value === 'string' ? [value] : (value ?? [])) lines.push(name, one)
    }
    return new RequestHeaders(lines)
  }

  /** The values of every line with this name, in order. `name` is lower case. */
  all(name: string): string[] {
    const values: string[] = []
    for (let i = 0; i + 1 < this.#lines.length; i += 2) {
      const line = this.#lines[i]
      if (line?.length !== name.length) continue
      // most names of the same length differ in the first letter, which costs less than a new string
      const alike = (line.charCodeAt(0) | 0x20) === (name.charCodeAt(0) | 0x20)
      if (alike && line.toLowerCase() === name) values.push(this.#lines[i + 1] ?? '')
    }
    return values
  }

  /** The value, with repeated lines joined by `, ` as HTTP defines it; undefined when there is none. */
  get(name: string): string | undefined {
    const values = this.all(name)
    return values.length > 1 ? values.join(', ') : values[0]
  }
}

/**
 * The name of a header that a person wrote, in lower case.
 * @throws SetupError `ERR_OPTION_INVALID`
 * @see RFC 9110 §5.1
 */
export const headerNamed = (option: string, name: unknown): string =>
  textOf(option, name, /^[\w!#$%&'*+.^`|~-]+$/, "the name of a header, such as 'X-Signature'").toLowerCase()

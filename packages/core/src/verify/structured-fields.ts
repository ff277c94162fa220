import { decoded } from './encodings.ts'

/** A bare item: an integer or decimal, a string, a token, bytes, or a boolean. */
export type BareItem = string | number | boolean | Buffer | { readonly token: string }

export type Parameters = ReadonlyMap<string, BareItem>

export interface Item {
  readonly value: BareItem
  readonly params: Parameters
  /** As it was written, parameters included. */
  readonly text: string
}

export interface InnerList {
  readonly value: readonly Item[]
  readonly params: Parameters
  readonly text: string
}

/**
 * The members of a dictionary, or undefined if it is not one. A member that comes twice makes it none: the rule that the
 * last one counts is for fields that nobody forges.
 * @see RFC 8941 §4.2.2
 */
export function parseDictionary(text: string): ReadonlyMap<string, Item | InnerList> | undefined {
  try {
    return new Parser(text).dictionary()
  } catch {
    return undefined
  }
}

class NotOfTheForm extends Error {}

const key = /[a-z*][a-z0-9_.*-]{0,63}/y
const number = /-?\d{1,15}(?:\.\d{1,3})?/y
const string = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const bytes = /:([A-Za-z0-9+/]*={0,2}):/y
const boolean = /\?([01])/y
const tokenForm = /[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y

/** Each step is one sticky expression without nested repetition, so the time is linear. */
class Parser {
  #at = 0

  constructor(readonly text: string) {}

  dictionary(): Map<string, Item | InnerList> {
    const members = new Map<string, Item | InnerList>()
    this.#spaces()
    while (this.#at < this.text.length) {
      const name = this.#need(key)
      if (members.has(name)) throw new NotOfTheForm()
      members.set(name, this.#take('=') ? this.#itemOrList() : this.#flag())
      this.#spaces()
      if (this.#at === this.text.length) break
      if (!this.#take(',')) throw new NotOfTheForm()
      this.#spaces()
      if (this.#at === this.text.length) throw new NotOfTheForm()
    }
    return members
  }

  #flag(): Item {
    const start = this.#at
    const params = this.#params()
    return { value: true, params, text: this.text.slice(start, this.#at) }
  }

  #itemOrList(): Item | InnerList {
    const start = this.#at
    if (!this.#take('(')) return this.#item()
    const value: Item[] = []
    for (;;) {
      while (this.#take(' '));
      if (this.#take(')')) break
      value.push(this.#item())
      if (this.text[this.#at] !== ' ' && this.text[this.#at] !== ')') throw new NotOfTheForm()
    }
    const params = this.#params()
    return { value, params, text: this.text.slice(start, this.#at) }
  }

  #item(): Item {
    const start = this.#at
    const value = this.#bare()
    const params = this.#params()
    return { value, params, text: this.text.slice(start, this.#at) }
  }

  #params(): Map<string, BareItem> {
    const params = new Map<string, BareItem>()
    while (this.#take(';')) {
      while (this.#take(' '));
      const name = this.#need(key)
      if (params.has(name)) throw new NotOfTheForm()
      params.set(name, this.#take('=') ? this.#bare() : true)
    }
    return params
  }

  #bare(): BareItem {
    const first = this.text[this.#at] ?? ''
    if (first === '"')
      return this.#need(string)
        .slice(1, -1)
        .replace(/\\(["\\])/g, '$1')
    if (first === ':') {
      const value = decoded(this.#need(bytes).slice(1, -1), 'base64')
      if (!value) throw new NotOfTheForm()
      return value
    }
    if (first === '?') return this.#need(boolean) === '?1'
    if (/[-\d]/.test(first)) return Number(this.#need(number))
    return { token: this.#need(tokenForm) }
  }

  #need(form: RegExp): string {
    form.lastIndex = this.#at
    const found = form.exec(this.text)?.[0]
    if (found === undefined) throw new NotOfTheForm()
    this.#at += found.length
    return found
  }

  #take(sign: string): boolean {
    if (this.text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #spaces(): void {
    while (this.text[this.#at] === ' ' || this.text[this.#at] === '\t') this.#at++
  }
}

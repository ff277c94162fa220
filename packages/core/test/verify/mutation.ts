import fc from 'fast-check'
import { RequestHeaders, type SignedRequest } from '@trigger-hub/core/verify'
import type { Sample } from './samples.ts'

/** How a text is changed; none gives back the same text. */
type Edit = (text: string) => string

const edit = (alphabet: fc.Arbitrary<string>): fc.Arbitrary<Edit> =>
  fc.oneof(
    fc.tuple(fc.nat(), alphabet).map(([at, sign]): Edit => (text) => {
      const i = text.length === 0 ? 0 : at % text.length
      return text.slice(0, i) + sign + text.slice(i + 1)
    }),
    fc.tuple(fc.nat(), alphabet).map(([at, sign]): Edit => (text) => {
      const i = at % (text.length + 1)
      return text.slice(0, i) + sign + text.slice(i)
    }),
    fc.nat().map(
      (at): Edit =>
        (text) =>
          text.slice(0, at % (text.length || 1)) + text.slice((at % (text.length || 1)) + 1),
    ),
    fc.nat().map(
      (at): Edit =>
        (text) =>
          text.slice(0, at % (text.length || 1)),
    ),
    fc.constant<Edit>((text) => text.toUpperCase()),
    fc.constant<Edit>((text) => text + text),
    fc.constant<Edit>((text) => `${text}, ${text}`),
    fc.constant<Edit>((text) => ` ${text}`),
    fc.constant<Edit>((text) => `${text}=`),
    fc.constant<Edit>(() => ''),
    fc.string({ maxLength: 200 }).map(
      (text): Edit =>
        () =>
          text,
    ),
  )

const sign = fc.oneof(
  fc.constantFrom(...'0aAfF9+/-_=.,;:v1t \t\0"\\{}é\u0131\u2028'),
  fc.string({ unit: 'binary', maxLength: 2 }),
)

/** A change of a request at one place. */
export type Mutation =
  | { at: 'body'; edit: Edit; bytes: number }
  | { at: 'header'; which: number; edit: Edit }
  | { at: 'name'; which: number }
  | { at: 'duplicate'; which: number; edit: Edit }
  | { at: 'drop'; which: number }
  | { at: 'method' | 'url'; edit: Edit }
  | { at: 'clock'; seconds: number }

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ at: fc.constant('body' as const), edit: edit(sign), bytes: fc.nat() }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ at: fc.constant('header' as const), which: fc.nat(), edit: edit(sign) }),
  },
  fc.record({ at: fc.constant('name' as const), which: fc.nat() }),
  {
    weight: 2,
    arbitrary: fc.record({ at: fc.constant('duplicate' as const), which: fc.nat(), edit: edit(sign) }),
  },
  { weight: 2, arbitrary: fc.record({ at: fc.constant('drop' as const), which: fc.nat() }) },
  fc.record({ at: fc.constantFrom('method' as const, 'url' as const), edit: edit(sign) }),
  fc.record({ at: fc.constant('clock' as const), seconds: fc.integer({ min: -4e9, max: 4e9 }) }),
)

/** The request with these changes, and when it comes. */
export function mutated(
  sample: Sample,
  mutations: readonly Mutation[],
): { request: SignedRequest; nowMs: number } {
  const headers = sample.headers.map(([name, value]): [string, string] => [name, value])
  let { body } = sample
  let { method, url } = sample.vector
  let nowMs = sample.vector.now * 1_000
  for (const one of mutations) {
    const line = 'which' in one && headers.length > 0 ? one.which % headers.length : -1
    const [name, value] = headers[line] ?? ['', '']
    if (one.at === 'body') body = Buffer.from(one.edit(body.toString('latin1')), 'latin1')
    else if (one.at === 'method') method = one.edit(method)
    else if (one.at === 'url') url = one.edit(url)
    else if (one.at === 'clock') nowMs += one.seconds * 1_000
    else if (line === -1) continue
    else if (one.at === 'header') headers[line] = [name, one.edit(value)]
    else if (one.at === 'name') headers[line] = [`x-${name}`, value]
    else if (one.at === 'drop') headers.splice(line, 1)
    else headers.push([name.toUpperCase(), one.edit(value)])
  }
  return { request: { method, url, headers: new RequestHeaders(headers.flat()), rawBody: body }, nowMs }
}

import type { Source } from '../verify/index.ts'

/** Sources by name, as given to a hub. */
// the events of a source are its own affair here
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Sources = Record<string, Source<any>>

/** The names that the hub gave its sources. */
export type SourceName<S extends Sources> = keyof S & string

/** The event types of a source and their data. */
type EventsOf<Of> = Of extends Source<infer Events> ? Events : never
/** Those that a source declares; none where it takes any. */
type TypeName<Of> = string extends keyof EventsOf<Of> ? never : keyof EventsOf<Of> & string

/** Text of this form, beside literals: TypeScript drops those, and an editor completes none, where the form alone stands. */
type Any<Form extends string> = Form & Record<never, never>

/**
 * Patterns over the hub's sources: completes `'shop:**'` and the types that the source declares, takes any other type
 * or wildcard after a known source, and refuses a source that is not there. `'*:…'` is every source.
 */
export type On<S extends Sources> =
  | {
      [Name in SourceName<S>]: `${Name}:${TypeName<S[Name]>}` | `${Name}:**` | Any<`${Name}:${string}`>
    }[SourceName<S>]
  | '*:**'
  | Any<`*:${string}`>

/** `orders.*` and `orders.**` as a template literal, so that TypeScript can match types against it. */
type Template<Text extends string> = Text extends `${infer Before}**${infer After}`
  ? `${Before}${string}${Template<After>}`
  : Text extends `${infer Before}*${infer After}`
    ? `${Before}${string}${Template<After>}`
    : Text

type Matching<Events, Type extends string> = {
  [Name in keyof Events]: Name extends Template<Type> ? Events[Name] : never
}[keyof Events]

/** The data of the events that a pattern lets through; unknown where the source declares nothing about them. */
export type DataOf<S extends Sources, Pattern extends string> = Pattern extends `${infer Name}:${infer Type}`
  ? Name extends SourceName<S>
    ? string extends keyof EventsOf<S[Name]>
      ? unknown
      : [Matching<EventsOf<S[Name]>, Type>] extends [never]
        ? unknown
        : Matching<EventsOf<S[Name]>, Type>
    : unknown
  : unknown

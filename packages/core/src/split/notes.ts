import type { AttemptRecord } from '../words/delivery.ts'

/** What a run leaves behind in the inbox, as JSON. */
type Note =
  /** It began at this instant, and nobody has said how it ended. */
  | { readonly startedAt: number }
  | { readonly failed: AttemptRecord; readonly dueAt: number }
  | { readonly interrupted: true }

export const noteOf = {
  begun: (startedAt: number): string => text({ startedAt }),
  failed: (failed: AttemptRecord, dueAt: number): string => text({ failed, dueAt }),
  interrupted: (): string => text({ interrupted: true }),
}

const text = (note: Note): string => JSON.stringify(note)

export interface History {
  /** The attempt to run, from 1. */
  readonly attempt: number
  /** Earlier attempts, oldest first. */
  readonly history: readonly AttemptRecord[]
  /** An earlier run was cut off. */
  readonly redelivered: boolean
}

/** Reads the notes of earlier runs. A loss is noticed when the next run begins. `dueAt`: not to be run before. */
export function historyOf(notes: readonly string[], now: number): History & { readonly dueAt: number } {
  const all = notes.map((note) => JSON.parse(note) as Note)
  const history: AttemptRecord[] = []
  let redelivered = false
  let dueAt = 0
  all.forEach((note, nth) => {
    if ('failed' in note) {
      history.push(note.failed)
      dueAt = note.dueAt
      return
    }
    redelivered = true
    if ('interrupted' in note) return
    const next = all[nth + 1]
    const endedAt = next && 'startedAt' in next ? next.startedAt : now
    history.push({ attempt: history.length + 1, startedAt: note.startedAt, endedAt, outcome: 'lost' })
  })
  return { attempt: history.length + 1, history, redelivered, dueAt }
}

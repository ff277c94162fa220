import type { EventRecord } from '../words/event.ts'

/** The event, marked as one whose bytes came before under another key. */
export const suspected = (event: EventRecord): EventRecord => ({
  ...event,
  marks: [...(event.marks ?? []), 'replay-suspected'],
})

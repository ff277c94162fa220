import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Accepted, EventRecord } from '@trigger-hub/core'
import { embedded, type EmbeddedOptions } from '@trigger-hub/embedded'
import { open } from '../src/database.ts'
import { acceptOptions, anEvent } from './events.ts'

/** Where the file of a test is, and the folder that goes with the test. */
export let path = ''
export let folder = ''

const ends: (() => unknown)[] = []

/** What is done when the test is over, the last first. */
export const atEnd = (end: () => unknown): void => void ends.push(end)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
  path = join(folder, 'hub.db')
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  rmSync(folder, { recursive: true, force: true })
})

/** A driver on the file. */
export function opened(options: EmbeddedOptions = {}): ReturnType<typeof embedded> {
  const driver = embedded({ path, ...options })
  atEnd(() => driver.close())
  return driver
}

export const accept = (
  driver: ReturnType<typeof embedded>,
  event: EventRecord = anEvent(),
): Promise<Accepted> => driver.accept(event, acceptOptions(event))

/** Rows of the file, as another program sees them. */
export function count(sql: string): number {
  const db = open(path)
  try {
    return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`)?.n ?? NaN
  } finally {
    db.close()
  }
}

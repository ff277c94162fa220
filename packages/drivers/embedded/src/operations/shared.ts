import type { Turn } from '../turn.ts'

export interface SharedRow {
  readonly text: string
  readonly version: number
}

/** A small text that all processes share. */
export const readShared = ({ db }: Turn, { name }: { name: string }): SharedRow | null =>
  db.get<SharedRow>('SELECT text, version FROM shared WHERE name = ?', name) ?? null

/** @returns false when the text that is there has another version; version 0: when there is none */
export const writeShared = ({ db }: Turn, { name, text, version }: SharedRow & { name: string }): boolean =>
  version === 0
    ? db.run('INSERT INTO shared (name, text, version) VALUES (?, ?, 1) ON CONFLICT DO NOTHING', name, text) >
      0
    : db.run(
        'UPDATE shared SET text = ?, version = version + 1 WHERE name = ? AND version = ?',
        text,
        name,
        version,
      ) > 0

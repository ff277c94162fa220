import { SetupError } from '@trigger-hub/core'
import { troubleOf, type Database } from './database.ts'

/** Says in the file's header whose it is: "ThUb". */
const applicationId = 0x54685562
const version = 1

/** The README describes these tables to people who open the file with SQLite's own tools: change it together. */
const tables = `
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, -- the order of acceptance
  id TEXT NOT NULL,
  source TEXT NOT NULL,
  type TEXT NOT NULL,
  raw_type TEXT NOT NULL,
  state TEXT NOT NULL, -- routed, unmatched, quarantined (kept for its dead letters alone)
  time INTEGER NOT NULL,
  key TEXT,
  content_type TEXT,
  marks TEXT,
  headers TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX events_unmatched ON events (seq) WHERE state = 'unmatched';

-- one row: the seq of the newest event, which may be gone; no seq is used twice, since bots remember how far they are
CREATE TABLE last_event (seq INTEGER NOT NULL) STRICT;
INSERT INTO last_event VALUES (0);

CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  event INTEGER NOT NULL, -- events.seq
  event_id TEXT NOT NULL, -- the event may be gone before its key
  token TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_expiring ON keys (expires_at);

CREATE TABLE bots (
  name TEXT PRIMARY KEY,
  patterns TEXT NOT NULL, -- JSON: which patterns hold after which event
  cursor INTEGER NOT NULL, -- seq of the last event looked at
  retiring_until INTEGER -- being retired: seq of the last event that was for it
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  expires_monotonic INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  event INTEGER NOT NULL, -- events.seq
  bot TEXT NOT NULL,
  state TEXT NOT NULL, -- running, waiting, done, dead, discarded
  attempt INTEGER NOT NULL,
  generation INTEGER NOT NULL, -- counts the hand-outs, so that a late verdict is told from a current one
  interrupted INTEGER NOT NULL,
  session TEXT,
  started_at INTEGER,
  due_at INTEGER,
  settled_at INTEGER,
  history TEXT NOT NULL,
  PRIMARY KEY (event, bot)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_waiting ON deliveries (bot, due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_running ON deliveries (session, bot) WHERE state = 'running';
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a redriven one that dies again gets a new id
  event INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  bot TEXT, -- null: quarantined, seen by no bot
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  once TEXT UNIQUE -- names the delivery of another driver, which may bury it twice
) STRICT;
CREATE INDEX dead_letters_by_event ON dead_letters (event_id);
CREATE INDEX dead_letters_by_bot ON dead_letters (bot);

CREATE TABLE claims (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  token TEXT, -- null: nobody holds it, only notes are kept
  lease_ms INTEGER NOT NULL,
  leased_monotonic INTEGER NOT NULL, -- until when, while there is no reply
  expires_at INTEGER NOT NULL,
  status INTEGER, -- null while there is no reply
  headers TEXT,
  body BLOB,
  note TEXT, -- what the holder leaves behind if its lease runs out …
  keep_ms INTEGER NOT NULL, -- … and for how long
  bot TEXT, -- for whom the claim is, if it is for a bot's delivery
  notes TEXT NOT NULL -- JSON: what earlier holders have left behind
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_expiring ON claims (expires_at);
CREATE INDEX claims_open ON claims (bot) WHERE bot IS NOT NULL AND status IS NULL;

CREATE TABLE shared (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

/**
 * Makes a fresh connection ours: durable settings, and the tables if the file is new.
 * @throws SetupError `ERR_DRIVER_UNUSABLE` when the file belongs to another program or a newer version of this one
 */
export function prepare(db: Database, path: string): void {
  db.exec('PRAGMA busy_timeout = 20') // the thread tries again by itself, and looks at deadlines in between
  try {
    refuseForeign(db, path)
    db.get('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -16384')
    if (pragma(db, 'user_version') === version) return
    db.exec('BEGIN IMMEDIATE')
    try {
      if (pragma(db, 'user_version') === 0) {
        db.exec(`${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version};`)
      }
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  } catch (error) {
    if (troubleOf(error) !== 'broken' || !/not a database/i.test(String(error))) throw error
    throw unusable(`"${path}" is not an SQLite file. Give the option "path" another name.`, error)
  }
}

function refuseForeign(db: Database, path: string): void {
  // one look: another process may be making the tables between two
  db.exec('BEGIN')
  const found = pragma(db, 'user_version')
  const owner = pragma(db, 'application_id')
  const empty = db.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined
  db.exec('COMMIT')
  if (!empty && owner !== applicationId) {
    throw unusable(`"${path}" belongs to another program. Give the option "path" another name.`)
  }
  if (found > version) {
    throw unusable(
      `"${path}" was written by a newer @trigger-hub/embedded (file version ${found}, this one knows ${version}). Update the package.`,
    )
  }
}

const pragma = (db: Database, name: 'user_version' | 'application_id'): number =>
  db.get<Record<string, number>>(`PRAGMA ${name}`)?.[name] ?? 0

const unusable = (message: string, cause?: unknown): SetupError =>
  new SetupError('ERR_DRIVER_UNUSABLE', message, { cause })

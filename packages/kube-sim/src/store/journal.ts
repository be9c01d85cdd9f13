import { DatabaseSync } from 'node:sqlite';
import { asObject, messageOf, parseJson, stringifyJson, type KubeObject } from '@tiphys/api';
import type { Place } from './place.ts';

/** Where writes go before they are acknowledged. */
export type Journal = Readonly<{
  /** Called once, before any write. */
  restore: () => Readonly<{ revision: number; objects: readonly StoredObject[] }>;
  put: (entry: StoredObject & Readonly<{ revision: number }>) => void;
  remove: (entry: Place & Readonly<{ revision: number }>) => void;
  /** The value under a name: the one kept before, or a new one that is kept from now on. */
  keep: (name: string, make: () => string) => string;
  close: () => void;
}>;

export type StoredObject = Readonly<{ resource: string; object: KubeObject }>;

/** Keeps nothing: the cluster starts empty. */
export const memoryJournal = (): Journal => ({
  // Not 0: "0" as a resourceVersion means "any".
  restore: () => ({ revision: 1, objects: [] }),
  put: () => {},
  remove: () => {},
  keep: (_name, make) => make(),
  close: () => {},
});

const tables = `
  CREATE TABLE IF NOT EXISTS object (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  INSERT OR IGNORE INTO counter VALUES (1, 1);
`;

// One process alone may have the file: two clusters over one state would overwrite each other.
function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE;');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(tables);
    return database;
  } catch (error) {
    database.close();
    throw new Error(`${file}: cannot be opened as the state of an embedded cluster (${messageOf(error)})`, {
      cause: error,
    });
  }
}

/**
 * Keeps the cluster in one SQLite file. What is written in one turn of the event loop is in the file at its end, so a killed
 * process loses nothing that somebody has seen; a machine that loses power may lose the last moments (synchronous=NORMAL).
 */
export function sqliteJournal(file: string): Journal {
  const database = open(file);
  const upsert = database.prepare('INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)');
  const drop = database.prepare('DELETE FROM object WHERE resource = ? AND namespace = ? AND name = ?');
  const count = database.prepare('UPDATE counter SET revision = ?');
  // All writes of one turn of the event loop are one transaction: it ends before anything else can happen.
  let pending: number | undefined;
  const commit = (): void => {
    if (pending === undefined) return;
    count.run(pending);
    database.exec('COMMIT');
    pending = undefined;
  };
  const within = (revision: number): void => {
    if (pending === undefined) {
      database.exec('BEGIN');
      queueMicrotask(commit);
    }
    pending = revision;
  };
  return {
    restore: () => ({
      revision: Number(database.prepare('SELECT revision FROM counter').get()?.['revision'] ?? 1),
      objects: database
        .prepare('SELECT resource, json FROM object')
        .all()
        .map((row) => ({ resource: String(row['resource']), object: asObject(parseJson(String(row['json']))) })),
    }),
    put: ({ resource, object, revision }) => {
      const { namespace = '', name = '' } = object.metadata;
      within(revision);
      upsert.run(resource, namespace, name, stringifyJson(object));
    },
    remove: ({ resource, namespace, name, revision }) => {
      within(revision);
      drop.run(resource, namespace, name);
    },
    keep: (name, make) => {
      database.prepare('INSERT OR IGNORE INTO kept VALUES (?, ?)').run(name, make());
      return String(database.prepare('SELECT value FROM kept WHERE name = ?').get(name)?.['value']);
    },
    close: () => {
      commit();
      database.close();
    },
  };
}

import { DatabaseSync } from 'node:sqlite';
import { asObject, parseJson, stringifyJson, type KubeObject } from '@tiphys/api';
import type { Place } from './object-store.ts';

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

/**
 * Keeps the cluster in one SQLite file. A write is in the file when it returns, so a killed process loses nothing;
 * a machine that loses power may lose the last moments (synchronous=NORMAL).
 */
export function sqliteJournal(file: string): Journal {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
  database.exec(tables);
  const upsert = database.prepare('INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)');
  const drop = database.prepare('DELETE FROM object WHERE resource = ? AND namespace = ? AND name = ?');
  const count = database.prepare('UPDATE counter SET revision = ?');
  const together = (revision: number, write: () => void): void => {
    database.exec('BEGIN');
    try {
      write();
      count.run(revision);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
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
      together(revision, () => upsert.run(resource, namespace, name, stringifyJson(object)));
    },
    remove: ({ resource, namespace, name, revision }) => {
      together(revision, () => drop.run(resource, namespace, name));
    },
    keep: (name, make) => {
      database.prepare('INSERT OR IGNORE INTO kept VALUES (?, ?)').run(name, make());
      return String(database.prepare('SELECT value FROM kept WHERE name = ?').get(name)?.['value']);
    },
    close: () => database.close(),
  };
}

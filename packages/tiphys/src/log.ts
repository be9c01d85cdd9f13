import type { LogFields, Logger } from '@tiphys/api';
import { pino } from 'pino';

export type LogSettings = Readonly<{ level: string; format: 'json' | 'text' }>;

/** The program's log: one JSON line per event on standard error, or plain text for people. */
export function openLog({ level, format }: LogSettings): Logger {
  if (format === 'text') return textLog(level);
  const log = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'msg' },
    pino.destination({ dest: 2, sync: false }),
  );
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

function textLog(level: string): Logger {
  const threshold = Math.max(
    0,
    levels.findIndex((known) => known === level),
  );
  const write =
    (own: (typeof levels)[number]) =>
    (message: string, fields: LogFields = {}): void => {
      if (levels.indexOf(own) < threshold) return;
      const facts = Object.entries(fields).map(
        ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      process.stderr.write(`${new Date().toISOString()} ${own.padEnd(5)} ${message}${facts.join('')}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** A service manager's end of sd_notify: a datagram socket in Python, as Node has none. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Child } from './child.ts';
import { temporaryFolder } from './scope.ts';

export interface NotifySocket {
  /** For NOTIFY_SOCKET. */
  readonly path: string;
  /** Every message so far, its lines joined by `|`. */
  readonly messages: readonly string[];
  /** The `nth` (from 1) message that matches, past or future. */
  message(pattern: RegExp, nth?: number): Promise<string>;
}

export async function notifySocket({ abstract = false } = {}): Promise<NotifySocket> {
  const path = abstract ? `@adit-${randomUUID()}` : join(temporaryFolder(), 'notify');
  const child = new Child('python3', [join(import.meta.dirname, 'notify-socket.py'), path]);
  await child.line(/^bound$/);
  return {
    path,
    get messages() {
      return child.lines.slice(1);
    },
    message: (pattern, nth = 1) =>
      child.until(`message ${pattern}`, () => child.lines.slice(1).filter((line) => pattern.test(line))[nth - 1]),
  };
}

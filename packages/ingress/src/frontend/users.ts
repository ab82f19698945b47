/**
 * Who may use a local proxy: a file with a line USER:PASSWORD for each.
 * Rule: a file that others may read is refused, as a key is. Every user is compared in constant time, whoever asks: how
 * long an answer takes tells nothing. Complaints name the line, never what is on it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AditError } from '@adit/shared/errors';
import { readSecretFile } from '@adit/shared/identity/credentials';
import type { Admits } from '@adit/shared/protocol/socks5-server';

/** What SOCKS can carry of each (RFC 1929). */
const maxBytes = 255;

/** Reads the file. Empty lines and those that begin with # say nothing. Throws CONFIG_INVALID. */
export function loadUsers(path: string): Admits {
  const text = readSecretFile(path, 'file of users', 'CONFIG_INVALID').toString('utf8');
  const key = randomBytes(32);
  const digest = (user: string, password: string): Buffer =>
    createHmac('sha256', key).update(user).update('\0').update(password).digest();
  const known = new Map<string, Buffer>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const complain = (reason: string): never => {
      throw new AditError('CONFIG_INVALID', `The file of users ${path} is unusable: line ${at + 1} ${reason}.`);
    };
    const colon = line.indexOf(':');
    const [user, password] = [line.slice(0, colon), line.slice(colon + 1)];
    if (colon < 1 || password === '') complain('is not USER:PASSWORD');
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    if (/[\u0000-\u001f\u007f\ufffd]/.test(line)) complain('has a control character or is not UTF-8');
    if (Buffer.byteLength(user) > maxBytes || Buffer.byteLength(password) > maxBytes)
      complain(`has more than ${maxBytes} bytes of user or password`);
    if (known.has(user)) complain('names a user a second time');
    known.set(user, digest(user, password));
  }
  if (known.size === 0)
    throw new AditError('CONFIG_INVALID', `The file of users ${path} is unusable: nobody is in it.`);
  const digests = [...known.values()];
  return (user, password) => {
    const asked = digest(user, password);
    let admitted = false;
    for (const one of digests) admitted = timingSafeEqual(one, asked) || admitted;
    return admitted;
  };
}

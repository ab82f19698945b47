/**
 * Who may use a local proxy: a file with a line USER:PASSWORD for each user.
 * Rule: a file that others may read is refused, as a key is. Every user of the file is compared, in constant time, so
 * that the time of an answer reveals nothing. Complaints name the line, never its content.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AditError } from '@adit/shared/errors';
import { readSecretFile } from '@adit/shared/identity/credentials';
import type { Admits } from '@adit/shared/protocol/socks5-server';

/** The longest user and the longest password that SOCKS can carry (RFC 1929). */
const maxBytes = 255;

/** Reads the file. Empty lines and lines that begin with # are ignored. Throws CONFIG_INVALID. */
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
    // eslint-disable-next-line no-control-regex -- the pattern is there to find them
    if (/[\u0000-\u001f\u007f\ufffd]/.test(line)) complain('has a control character or is not UTF-8');
    if (Buffer.byteLength(user) > maxBytes || Buffer.byteLength(password) > maxBytes)
      complain(`has more than ${maxBytes} bytes of user or password`);
    if (known.has(user)) complain('names a user for the second time');
    known.set(user, digest(user, password));
  }
  if (known.size === 0)
    throw new AditError('CONFIG_INVALID', `The file of users ${path} is unusable: it names no user.`);
  const digests = [...known.values()];
  return (user, password) => {
    const asked = digest(user, password);
    let admitted = false;
    for (const one of digests) admitted = timingSafeEqual(one, asked) || admitted;
    return admitted;
  };
}

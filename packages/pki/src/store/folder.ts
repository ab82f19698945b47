/**
 * The folder of a CA: its files, and how it is made.
 * Rule: a CA exists if its certificate does and `init.pending` does not. An `init` that was killed half-way starts
 * again; nothing of a finished CA is ever overwritten. A folder that others can write is refused: they could put a key
 * of theirs in the place of ours.
 * Not here: the folders above it.
 */
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AditError } from '@adit/shared/errors';
import { createAuthority, type Authority, type AuthorityOptions } from '../authority.ts';
import { privateKeyPem } from '../private-key.ts';
import { createRevocationList } from '../revocation-list.ts';
import { replaceFile } from './durable-file.ts';
import { withLock, type LockOptions } from './lock.ts';
import { emptyRegister, formatRegister } from './register.ts';

export interface StoreFiles {
  readonly certificate: string;
  readonly key: string;
  readonly register: string;
  readonly revocationList: string;
  readonly lock: string;
  readonly pending: string;
}

export function filesOf(folder: string): StoreFiles {
  return {
    certificate: join(folder, 'ca.crt'),
    key: join(folder, 'ca.key'),
    register: join(folder, 'index.json'),
    revocationList: join(folder, 'crl.pem'),
    lock: join(folder, 'lock'),
    pending: join(folder, 'init.pending'),
  };
}

export interface InitOptions extends AuthorityOptions, LockOptions {
  /** Encrypts the key; default none. */
  readonly passphrase?: string;
}

/**
 * Makes a CA and its store in `folder`, with an empty revocation list. Fails with CA_EXISTS, CA_BUSY, FILE_UNREADABLE
 * (also if others can write the folder), NAME_INVALID, USAGE.
 */
export async function initAuthority(folder: string, options: InitOptions = {}): Promise<Authority> {
  const files = filesOf(folder);
  // Before the lock, which makes the folder: a wrong name or an existing CA must leave no trace.
  const authority = createAuthority(options);
  refuseExisting(folder, files);
  refuseShared(folder);
  return withLock(
    files.lock,
    () => {
      refuseExisting(folder, files);
      replaceFile({ path: files.pending, content: '', mode: 0o600 });
      replaceFile({ path: files.key, content: privateKeyPem(authority.key, options.passphrase), mode: 0o600 });
      replaceFile({ path: files.register, content: formatRegister({ ...emptyRegister, crlNumber: 1 }), mode: 0o600 });
      replaceFile({
        path: files.revocationList,
        content: createRevocationList(authority, { revoked: [], number: 1, ...(options.now && { now: options.now }) }),
        mode: 0o644,
      });
      replaceFile({ path: files.certificate, content: authority.certificatePem, mode: 0o644 });
      rmSync(files.pending);
      return authority;
    },
    options,
  );
}

/** Fails with CA_MISSING when there is no finished CA in the folder. */
export function requireAuthority(folder: string): void {
  const files = filesOf(folder);
  if (existsSync(files.pending))
    throw new AditError(
      'CA_MISSING',
      `The CA in ${folder} is not finished: "adit ca init" was interrupted. Run it again.`,
    );
  if (!existsSync(files.certificate)) throw new AditError('CA_MISSING', `There is no CA in ${folder}.`);
}

function refuseExisting(folder: string, files: StoreFiles): void {
  if (existsSync(files.pending)) return;
  const found = [files.certificate, files.key, files.register].find((path) => existsSync(path));
  if (found !== undefined) throw new AditError('CA_EXISTS', `There is a CA in ${folder} already (${found}).`);
}

/** A missing folder is made with mode 0700. The sticky bit does not help: others could still add files. */
function refuseShared(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory() || process.platform === 'win32') return;
  const others = 'so others could replace the key of the CA';
  if ((found.mode & 0o022) !== 0)
    throw new AditError(
      'FILE_UNREADABLE',
      `The folder ${folder} has mode ${(found.mode & 0o7777).toString(8).padStart(4, '0')}, ${others}: run ` +
        `"chmod go-w ${folder}", or choose another --dir.`,
    );
  if (found.uid !== 0 && found.uid !== process.getuid!())
    throw new AditError(
      'FILE_UNREADABLE',
      `The folder ${folder} belongs to another user, ${others}: choose another --dir.`,
    );
}

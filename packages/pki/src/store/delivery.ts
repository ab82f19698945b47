/**
 * The files that a holder gets: NAME.key, NAME.crt, ca.crt and, if asked for, a PKCS#12 file.
 * Rule: only a renewal overwrites files. A key gets its name only when it is complete. Whatever can be refused is
 * refused before the certificate is recorded, and no certificate is on disk before that.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AditError, messageOf } from '@adit/shared/errors';
import { pemBlocks } from '@adit/shared/identity/pem';
import { isBundle } from '../bundle.ts';
import {
  alreadyThere,
  checkReplaceable,
  removeStale,
  stage,
  type FileContent,
  type StagedFile,
} from './durable-file.ts';

export interface DeliveryOptions {
  readonly out: string;
  readonly name: string;
  /** Replace NAME.crt and NAME.key. */
  readonly renew: boolean;
  /** PEM; absent when the holder has made the key elsewhere. */
  readonly key?: string | undefined;
  readonly caPem: string;
  /** Path of the PKCS#12 file. */
  readonly p12?: string | undefined;
}

export interface Delivery {
  /**
   * Writes the other files and gives all files their names; returns their paths. Fails with FILE_EXISTS and
   * FILE_UNREADABLE.
   */
  finish(content: { readonly certificatePem: string; readonly p12?: Uint8Array | undefined }): string[];
  /** Removes what was staged; has no effect after `finish`. */
  discard(): void;
}

/** Checks the folder and stages the key. Fails with FILE_EXISTS, FILE_UNREADABLE, and USAGE (two files of one name). */
export function prepareDelivery({ out, name, renew, key, caPem, p12 }: DeliveryOptions): Delivery {
  const [keyPath, certificatePath, caPath] = [join(out, `${name}.key`), join(out, `${name}.crt`), join(out, 'ca.crt')];
  makeFolder(out);
  const fresh = [
    ...(renew ? [] : [...(key === undefined ? [] : [keyPath]), certificatePath]),
    ...(p12 === undefined || renew ? [] : [p12]),
  ];
  const taken = fresh.find((path) => existsSync(path));
  if (taken !== undefined) throw alreadyThere(taken);
  if (p12 !== undefined) checkBundlePath(p12, [keyPath, certificatePath, caPath]);
  for (const path of [keyPath, certificatePath]) removeStale(path);
  checkWritable(certificatePath);
  const hasCa = checkAuthorityFile(caPath, caPem);
  const staged: StagedFile[] = [];
  const add = (file: FileContent): void => {
    staged.push(stage(file));
  };
  if (key !== undefined) add({ path: keyPath, content: key, mode: 0o600 });
  return {
    finish: ({ certificatePem, p12: bundle }) => {
      add({ path: certificatePath, content: certificatePem, mode: 0o644 });
      if (p12 !== undefined && bundle !== undefined) add({ path: p12, content: bundle, mode: 0o600 });
      for (const file of staged)
        if (renew) file.replace();
        else file.create();
      if (!hasCa) placeAuthority(caPath, caPem);
      return [...(key === undefined ? [] : [keyPath]), certificatePath, caPath, ...(p12 === undefined ? [] : [p12])];
    },
    discard: () => {
      for (const file of staged) file.discard();
    },
  };
}

/** Returns true if this CA is there already; fails with FILE_EXISTS if another one is. */
function checkAuthorityFile(path: string, caPem: string): boolean {
  if (!existsSync(path)) return false;
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new AditError('FILE_UNREADABLE', `Cannot read ${path}: ${messageOf(error)}.`, { cause: error });
  }
  const bodies = (pem: string): string[] | undefined => pemBlocks(pem)?.map(({ der }) => der.toString('hex'));
  const wanted = bodies(caPem)![0]!;
  // Other CAs may stand beside it: that is how one CA replaces another.
  if (bodies(text)?.includes(wanted) !== true)
    throw new AditError('FILE_EXISTS', `The file ${path} is there already and is another CA than the one that issues.`);
  return true;
}

/** Writes ca.crt, unless another command has written it in the meantime. */
function placeAuthority(path: string, caPem: string): void {
  const file = stage({ path, content: caPem, mode: 0o644 });
  try {
    file.create();
  } catch (error) {
    if (!(error instanceof AditError) || error.code !== 'FILE_EXISTS') throw error;
    checkAuthorityFile(path, caPem);
  } finally {
    file.discard();
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new AditError('FILE_UNREADABLE', `Cannot make the folder ${path}: ${messageOf(error)}.`, { cause: error });
  }
}

/** A mistyped --p12 must not overwrite a key, not even with --renew. */
function checkBundlePath(path: string, others: readonly string[]): void {
  if (others.some((other) => resolve(other) === resolve(path)))
    throw new AditError('USAGE', `The PKCS#12 file ${path} has the name of another file that is written.`);
  checkReplaceable(path, 'a PKCS#12 file', isBundle);
  removeStale(path);
  checkWritable(path);
}

/**
 * Fails now, before the certificate is recorded. It writes a file to find out, because permissions are not enough: the
 * file system may be read-only or full.
 */
function checkWritable(path: string): void {
  stage({ path, content: '', mode: 0o600 }).discard();
}

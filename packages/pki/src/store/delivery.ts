/**
 * The files that somebody gets: NAME.key, NAME.crt, ca.crt and, where asked for, a PKCS#12 file.
 * Rule: nothing is overwritten unless it is a renewal, and keys never take a name before they are complete. All that
 * can be refused is
 *       refused before a certificate is recorded; no certificate is on disk before it is.
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
   * Writes what is left and gives all files their names; returns their paths. Fails with FILE_EXISTS and
   * FILE_UNREADABLE.
   */
  finish(content: { readonly certificatePem: string; readonly p12?: Uint8Array | undefined }): string[];
  /** Forgets what was staged; harmless after `finish`. */
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

/** True when the same CA is there; fails with FILE_EXISTS when another one is. */
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
  // Others beside it are fine: that is how one CA replaces another.
  if (bodies(text)?.includes(wanted) !== true)
    throw new AditError('FILE_EXISTS', `The file ${path} is there already and is another CA than the one that issues.`);
  return true;
}

/** Another command may have placed it in the meantime. */
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

/** A mistyped --p12 must not cost somebody a key, not even with --renew. */
function checkBundlePath(path: string, others: readonly string[]): void {
  if (others.some((other) => resolve(other) === resolve(path)))
    throw new AditError('USAGE', `The PKCS#12 file ${path} has the name of another file that is written.`);
  checkReplaceable(path, 'a PKCS#12 file', isBundle);
  removeStale(path);
  checkWritable(path);
}

/**
 * Found out now, not when the certificate is recorded already. By doing it: permissions alone do not tell (a file
 * system may be read-only or full).
 */
function checkWritable(path: string): void {
  stage({ path, content: '', mode: 0o600 }).discard();
}

/**
 * PEM text as blocks (RFC 7468), and the reading of files with a clear complaint.
 * Rule: linear in the length of the text; a block without its end is an error and never skipped.
 * Not here: the content of the blocks.
 */
import { readFileSync } from 'node:fs';
import { AditError, type Code, messageOf } from '../errors.ts';

/** `pem` is the block with its two lines; `der` its decoded content. */
export interface PemBlock {
  readonly label: string;
  readonly pem: string;
  readonly der: Buffer;
}

/**
 * The blocks of a text, in order; text around them is ignored. Undefined if a block is cut off or is not base64.
 */
export function pemBlocks(text: string): PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf('-----BEGIN '); at >= 0; at = text.indexOf('-----BEGIN ', at)) {
    const labelEnd = text.indexOf('-----', at + 11);
    if (labelEnd < 0) return undefined;
    const label = text.slice(at + 11, labelEnd);
    const tail = `-----END ${label}-----`;
    const end = text.indexOf(tail, labelEnd);
    if (end < 0 || label.includes('\n')) return undefined;
    const body = text.slice(labelEnd + 5, end);
    const base64 = body.replace(/^[A-Za-z0-9-]+:.*$/gm, '').replace(/\s+/g, '');
    if (base64 === '' || /[^A-Za-z0-9+/=]/.test(base64)) return undefined;
    blocks.push({ label, pem: `${text.slice(at, end)}${tail}\n`, der: Buffer.from(base64, 'base64') });
    at = end + tail.length;
  }
  return blocks;
}

/** The bytes of a file, or an AditError of `code` that says why not. `what` names it: "the certificate". */
export function readNamedFile(path: string, what: string, code: Code): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AditError(code, `Cannot read ${what} ${path}: ${readFailure(error)}.`, { cause: error });
  }
}

function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return messageOf(error);
}

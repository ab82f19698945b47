/**
 * The register of a store (index.json): every certificate ever issued, and the number of the last revocation list.
 * Rule: a certificate is recorded before anybody gets it. Entries are marked as revoked and never removed. A damaged
 * register is refused, because losing a revocation would be worse.
 */
import { AditError, messageOf } from '@adit/shared/errors';
import type { Kind } from '../names.ts';
import { revocationReasons, type RevocationReason } from '../revocation-list.ts';

export interface Entry {
  readonly name: string;
  readonly kind: Kind;
  /** Upper-case hex. */
  readonly serial: string;
  /** Of a client. */
  readonly groups?: readonly string[];
  /** Of an egress. */
  readonly hosts?: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly revoked?: { readonly at: Date; readonly reason: RevocationReason };
}

export interface Register {
  readonly crlNumber: number;
  /** For how many days lists are valid, if it was ever given: a revocation must not shorten it silently. */
  readonly crlDays?: number;
  readonly entries: readonly Entry[];
}

export type State = 'valid' | 'expired' | 'revoked';

export const emptyRegister: Register = { crlNumber: 0, entries: [] };

/** Revoked comes first: an expired certificate that was revoked is shown as revoked. */
export function stateOf(entry: Entry, now: Date): State {
  return entry.revoked !== undefined ? 'revoked' : entry.notAfter <= now ? 'expired' : 'valid';
}

export function formatRegister({ crlNumber, crlDays, entries }: Register): string {
  const lines = entries.map((entry) => JSON.stringify(entry));
  const days = crlDays === undefined ? '' : `"crlDays":${crlDays},`;
  const certificates = lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`;
  return `{"version":1,"crlNumber":${crlNumber},${days}"certificates":[${certificates}]}\n`;
}

/** Reads it back; `source` names the file. Fails with CA_CORRUPT. */
export function parseRegister(text: string, source: string): Register {
  try {
    const { version, crlNumber, crlDays, certificates } = objectOf(JSON.parse(text), 'the file');
    if (version !== 1) throw new Error(`its version is ${JSON.stringify(version)}, and this program knows version 1`);
    if (typeof crlNumber !== 'number' || !Number.isSafeInteger(crlNumber) || crlNumber < 0)
      throw new Error('crlNumber is not a number of 0 or more');
    if (crlDays !== undefined && (typeof crlDays !== 'number' || !Number.isSafeInteger(crlDays) || crlDays < 1))
      throw new Error('crlDays is not a number of 1 or more');
    if (!Array.isArray(certificates)) throw new Error('certificates is not a list');
    const entries = certificates.map((value, index) => entryOf(value, `certificate ${index + 1}`));
    if (new Set(entries.map(({ serial }) => serial)).size !== entries.length)
      throw new Error('a serial is in it twice');
    return { crlNumber, ...(crlDays !== undefined && { crlDays }), entries };
  } catch (error) {
    throw new AditError('CA_CORRUPT', `The register ${source} is damaged: ${messageOf(error).replace(/\.$/, '')}.`, {
      cause: error,
    });
  }
}

function entryOf(value: unknown, what: string): Entry {
  const { name, kind, serial, groups, hosts, notBefore, notAfter, revoked, ...more } = objectOf(value, what);
  const [stranger] = Object.keys(more);
  if (stranger !== undefined) throw new Error(`${what} has the unknown field ${JSON.stringify(stranger)}`);
  if (kind !== 'client' && kind !== 'egress') throw new Error(`${what} is neither a client nor an egress`);
  if (typeof serial !== 'string' || !/^(?:[0-9A-F]{2}){1,20}$/.test(serial)) throw new Error(`${what} has no serial`);
  return {
    name: textOf(name, `${what}: name`),
    kind,
    serial,
    ...(groups !== undefined && { groups: textsOf(groups, `${what}: groups`) }),
    ...(hosts !== undefined && { hosts: textsOf(hosts, `${what}: hosts`) }),
    notBefore: dateOf(notBefore, `${what}: notBefore`),
    notAfter: dateOf(notAfter, `${what}: notAfter`),
    ...(revoked !== undefined && { revoked: revocationOf(revoked, `${what}: revoked`) }),
  };
}

function revocationOf(value: unknown, what: string): NonNullable<Entry['revoked']> {
  const { at, reason } = objectOf(value, what);
  if (typeof reason !== 'string' || !Object.hasOwn(revocationReasons, reason))
    throw new Error(`${what} has no known reason`);
  return { at: dateOf(at, what), reason: reason as RevocationReason };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not a text`);
  return value;
}

function textsOf(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value.map((text) => textOf(text, what));
}

function dateOf(value: unknown, what: string): Date {
  const date = new Date(textOf(value, what));
  if (Number.isNaN(date.getTime())) throw new Error(`${what} is not a date`);
  return date;
}

/**
 * Which certificates "NAME or SERIAL" means, and the register after their revocation.
 * Rule: revoking a NAME revokes all its certificates that have not expired, so that no earlier certificate stays valid
 * beside a renewed one. A revoked certificate keeps its date and reason. Pure.
 */
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import type { RevocationReason } from '../revocation-list.ts';
import { parseSerial } from '../serial.ts';
import { stateOf, type Entry, type Register } from './register.ts';

export interface Revoked {
  readonly register: Register;
  /** Those that were valid before. */
  readonly newly: readonly Entry[];
  /** Those that were revoked before. */
  readonly already: readonly Entry[];
}

/** Fails with NOT_FOUND. */
export function revokeIn(
  register: Register,
  which: string,
  { reason, now }: { readonly reason: RevocationReason; readonly now: Date },
): Revoked {
  const found = find(register, which, now);
  const already = found.filter((entry) => entry.revoked !== undefined);
  const newly = found
    .filter((entry) => entry.revoked === undefined)
    .map((entry) => ({ ...entry, revoked: { at: now, reason } }));
  const bySerial = new Map(newly.map((entry) => [entry.serial, entry]));
  return {
    register: { ...register, entries: register.entries.map((entry) => bySerial.get(entry.serial) ?? entry) },
    newly,
    already,
  };
}

function find(register: Register, which: string, now: Date): Entry[] {
  const named = register.entries.filter((entry) => entry.name === which);
  const found = named.filter((entry) => stateOf(entry, now) !== 'expired');
  if (found.length > 0) return found;
  const serial = parseSerial(which);
  const one = register.entries.filter((entry) => entry.serial === serial);
  if (one.length > 0) return one;
  if (named.length > 0)
    throw new AditError('NOT_FOUND', `Every certificate of ${which} has expired: there is nothing to revoke.`);
  throw new AditError('NOT_FOUND', `No certificate has the name or serial "${safeText(which, { maxLength: 100 })}".`);
}

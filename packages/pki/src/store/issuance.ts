/**
 * Decides for `issue` and `sign`, before anything is signed, whether a name may have a certificate and what goes into
 * it.
 * Rule: a NAME belongs to one kind. It has one valid certificate; only a renewal adds another, and keeps the groups and
 * hosts of the newest one unless new ones are given. Pure: register in, subject out.
 */
import { AditError } from '@adit/shared/errors';
import { clientSubject, egressSubject, type Subject } from '../names.ts';
import { stateOf, type Entry, type Register } from './register.ts';

export interface ClientAsk {
  readonly kind: 'client';
  readonly name: string;
  /** Default none; with `renew`, those of the newest certificate. */
  readonly groups?: readonly string[] | undefined;
}
export interface EgressAsk {
  readonly kind: 'egress';
  readonly name: string;
  /** At least one; with `renew`, default those of the newest certificate. */
  readonly hosts?: readonly string[] | undefined;
}
export type Ask = ClientAsk | EgressAsk;

/** The checked subject. Fails with NAME_INVALID, NAME_TAKEN, and NOT_FOUND (nothing to renew). */
export function decideSubject(
  ask: Ask,
  { register, renew, now }: { readonly register: Register; readonly renew: boolean; readonly now: Date },
): Subject {
  const earlier = register.entries.filter((entry) => entry.name.toLowerCase() === ask.name.toLowerCase());
  const active = earlier.filter((entry) => stateOf(entry, now) === 'valid');
  const before = renew ? newest(earlier, ask) : undefined;
  const subject =
    ask.kind === 'client'
      ? clientSubject(ask.name, ask.groups ?? before?.groups)
      : egressSubject(ask.name, ask.hosts ?? before?.hosts ?? []);
  const other = active.find((entry) => entry.kind !== ask.kind || entry.name !== ask.name);
  if (other !== undefined)
    throw new AditError(
      'NAME_TAKEN',
      `The name ${ask.name} is taken by the ${other.kind} ${other.name}, whose certificate ${other.serial} is ` +
        `valid until ${other.notAfter.toISOString()}.`,
    );
  if (!renew && active[0] !== undefined)
    throw new AditError(
      'NAME_TAKEN',
      `The ${ask.kind} ${ask.name} has a certificate (${active[0].serial}, valid until ` +
        `${active[0].notAfter.toISOString()}): add --renew for a new one.`,
    );
  return subject;
}

/** The certificate to renew. Never a revoked one: its groups may have been the reason for the revocation. */
function newest(earlier: readonly Entry[], ask: Ask): Entry {
  const same = earlier.filter((entry) => entry.name === ask.name && entry.kind === ask.kind);
  const found = same.findLast((entry) => entry.revoked === undefined);
  if (found !== undefined) return found;
  throw new AditError(
    'NOT_FOUND',
    same.length > 0
      ? `Every certificate of the ${ask.kind} ${ask.name} was revoked, so there is nothing to renew: issue a new ` +
          'one without --renew.'
      : `There is no certificate of the ${ask.kind} ${ask.name} to renew.`,
  );
}

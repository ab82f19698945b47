/**
 * Decides for `issue` and `sign`, before anything is signed, whether a name may have a certificate and what goes into
 * it.
 * Rule: a NAME belongs to one kind. It has one valid certificate; only a renewal adds another, and keeps the groups and
 * hosts of the newest one unless new ones are given. What was revoked comes back only when it is asked for by that
 * word: its groups may have been the reason, and renewals run from timers. Pure: register in, subject out.
 */
import { AditError } from '@adit/shared/errors';
import { clientSubject, egressSubject, type Subject } from '../names.ts';
import { stateOf, type Entry, type Register } from './register.ts';

export interface ClientAsk {
  readonly kind: 'client';
  readonly name: string;
  /** Default none; with `renew` or `reinstate`, those of the newest certificate. */
  readonly groups?: readonly string[] | undefined;
}
export interface EgressAsk {
  readonly kind: 'egress';
  readonly name: string;
  /** At least one; with `renew` or `reinstate`, default those of the newest certificate. */
  readonly hosts?: readonly string[] | undefined;
}
export type Ask = ClientAsk | EgressAsk;

export interface Decision {
  readonly register: Register;
  /** Another certificate for a name that has one. */
  readonly renew: boolean;
  /** A new certificate for a name whose certificates were revoked. */
  readonly reinstate?: boolean;
  readonly now: Date;
}

/** The checked subject. Fails with NAME_INVALID, NAME_TAKEN, and NOT_FOUND (nothing to renew or to reinstate). */
export function decideSubject(ask: Ask, { register, renew, reinstate = false, now }: Decision): Subject {
  const earlier = register.entries.filter((entry) => entry.name.toLowerCase() === ask.name.toLowerCase());
  const active = earlier.filter((entry) => stateOf(entry, now) === 'valid');
  const before = renew ? newest(earlier, ask) : reinstate ? revokedLast(earlier, ask) : undefined;
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
  const same = ofName(earlier, ask);
  const found = same.findLast((entry) => entry.revoked === undefined);
  if (found !== undefined) return found;
  throw same.length > 0
    ? new AditError('NOT_FOUND', `Every certificate of ${whoOf(ask)} was revoked: there is nothing to renew.`, {
        advice: adviceOf(ask, same.at(-1)!),
      })
    : new AditError('NOT_FOUND', `There is no certificate of ${whoOf(ask)} to renew.`);
}

/** The certificate whose groups and hosts come back. */
function revokedLast(earlier: readonly Entry[], ask: Ask): Entry {
  const last = ofName(earlier, ask).at(-1);
  if (last?.revoked !== undefined) return last;
  throw new AditError(
    'NOT_FOUND',
    `${last === undefined ? 'There is no certificate' : 'The last certificate'} of ${whoOf(ask)} ` +
      `${last === undefined ? 'to reinstate' : 'was not revoked: there is nothing to reinstate'}.`,
    { advice: last === undefined ? 'Issue one without --reinstate.' : 'Use --renew.' },
  );
}

/**
 * How to get back what was revoked, for a name that is asked for again: one sentence; undefined if its last certificate
 * was not revoked, or if it says by itself what it wants.
 */
export function wayBack(ask: Ask, register: Register): string | undefined {
  const last = ofName(register.entries, ask).at(-1);
  const told = ask.kind === 'client' ? ask.groups : ask.hosts;
  return last?.revoked === undefined || told !== undefined ? undefined : adviceOf(ask, last);
}

/**
 * How a client that was issued anew gets the groups of its revoked certificate: one sentence; undefined if there were
 * none, or if it says by itself what it wants.
 */
export function groupsBack(ask: Ask, register: Register): string | undefined {
  const last = ofName(register.entries, ask).at(-1);
  if (wayBack(ask, register) === undefined || !last?.groups?.length) return undefined;
  const flags = last.groups.map((group) => `--group ${group}`).join(' ');
  return `"adit ca issue client ${ask.name} --renew ${flags}" issues one with its groups.`;
}

function adviceOf({ kind, name }: Ask, { groups, hosts }: Entry): string {
  const [word, names] = kind === 'client' ? ['groups', groups ?? []] : ['hosts', hosts ?? []];
  const kept = names.length === 0 ? '' : ` with its ${word} (${names.join(', ')})`;
  return `"adit ca issue ${kind} ${name} --reinstate" issues a new one${kept}; what was revoked stays revoked.`;
}

function ofName(entries: readonly Entry[], { kind, name }: Ask): Entry[] {
  return entries.filter((entry) => entry.name === name && entry.kind === kind);
}

function whoOf({ kind, name }: Ask): string {
  return `the ${kind} ${name}`;
}

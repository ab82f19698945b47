/**
 * How long certificates and revocation lists are valid.
 * Rule: a validity starts five minutes ago, because clocks differ. It is in whole seconds, as in X.509. Nothing
 * outlives its CA.
 */
import { AditError } from '@adit/shared/errors';

export const defaultDays = { authority: 3650, leaf: 90, revocationList: 30 } as const;

const dayMs = 86_400_000;
const backdateMs = 5 * 60_000;
const mostDays = 36_500;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * From five minutes before `now` to `days` after it, but not beyond `notAfter`. Days are 1 to 36500; fails with USAGE.
 */
export function validity(days: number, now: Date, notAfter?: Date): Validity {
  if (!Number.isInteger(days) || days < 1 || days > mostDays)
    throw new AditError(
      'USAGE',
      `A validity of ${days} days is not possible: give a whole number from 1 to ${mostDays}.`,
    );
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const end = second + days * dayMs;
  return {
    notBefore: new Date(second - backdateMs),
    notAfter: notAfter === undefined || end <= notAfter.getTime() ? new Date(end) : notAfter,
  };
}

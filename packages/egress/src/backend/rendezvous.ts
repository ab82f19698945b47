/**
 * Rendezvous hashing (highest random weight): the candidate that a key belongs to, and the next ones when it is away.
 * Rule: the order of two candidates for a key depends on these two alone, so that when one leaves only its keys move,
 * each to its own next one. It depends on nothing that differs between two egresses or two runs, so that they agree.
 * Spec: Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005: -weight / ln(hash).
 */
import { createHash } from 'node:crypto';
import type { Weighted } from './round-robin.ts';

/** The candidates in the order in which this key prefers them. */
export function rendezvous<T extends Weighted>(candidates: readonly T[], key: string): T[] {
  return candidates
    .map((candidate) => ({ candidate, score: -candidate.weight / Math.log(fraction(`${key}\0${candidate.name}`)) }))
    .sort((a, b) => b.score - a.score || (a.candidate.name < b.candidate.name ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** A number above 0 and below 1, the same for the same text. */
function fraction(text: string): number {
  const digest = createHash('sha256').update(text).digest();
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}

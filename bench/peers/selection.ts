/**
 * Which pairs a run measures.
 * Rule: what is not installed is left out and named; what was asked for by name and cannot be measured is an error.
 */
import { type BenchOptions, UsageError } from '../options.ts';
import { adit, ownBuild, variants } from './adit.ts';
import { direct } from './direct.ts';
import { ghostunnel } from './ghostunnel.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { socat } from './socat.ts';
import { stunnel } from './stunnel.ts';

/** Smoke takes the first of these that is installed. */
const programs: readonly Peer[] = [nginx, haproxy, stunnel, socat, ghostunnel];

export interface Selection {
  readonly peers: readonly Peer[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** Chooses by the options. Fails with UsageError for a name that nobody has, Error for one that cannot be measured. */
export function select({ only, smoke, builds }: Pick<BenchOptions, 'only' | 'smoke' | 'builds'>): Selection {
  const builtin = builds.some(({ name }) => name === ownBuild.name) ? [] : [ownBuild];
  const all = [direct, ...[...builtin, ...builds, ...variants].map(adit), ...programs];
  const names = all.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--adit: two pairs would be called "${twice}".`);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: "${unknown}" is none of ${names.join(', ')}.`);
  const wanted =
    only === undefined
      ? all.filter(
          ({ name, kind }) => !variants.some((variant) => variant.name === name) && (!smoke || kind !== 'bound'),
        )
      : all.filter(({ name }) => only.includes(name));
  const missing = wanted.flatMap(({ name, unavailable }) => {
    const why = unavailable();
    return why === undefined ? [] : [{ name, why }];
  });
  const fatal = missing.find(
    ({ name }) => only !== undefined || all.some((peer) => peer.name === name && peer.kind === 'adit'),
  );
  if (fatal !== undefined) throw new Error(`${fatal.name} cannot be measured: ${fatal.why}`);
  const peers = wanted.filter(({ name }) => !missing.some((absent) => absent.name === name));
  return { peers: smoke && only === undefined ? forSmoke(peers) : peers, missing };
}

function forSmoke(peers: readonly Peer[]): Peer[] {
  const other = peers.find(({ kind }) => kind === 'peer');
  if (other === undefined)
    throw new Error(
      `--smoke wants one of ${programs.map(({ name }) => name).join(', ')} beside Adit, and none is installed`,
    );
  return [...peers.filter(({ kind }) => kind === 'adit'), other];
}

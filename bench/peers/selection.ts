/**
 * Which pairs a run measures.
 * Rule: what is not installed is left out and named; what was asked for by name and cannot be measured is an error.
 */
import { type BenchOptions, linkTests, UsageError } from '../options.ts';
import { adit, ownBuild, variants } from './adit.ts';
import { chisel } from './chisel.ts';
import { direct } from './direct.ts';
import { ghostunnel } from './ghostunnel.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { socat } from './socat.ts';
import { stunnel } from './stunnel.ts';
import { wstunnel } from './wstunnel.ts';

/** Smoke takes the first of these that is installed. */
const programs: readonly Peer[] = [nginx, haproxy, stunnel, ghostunnel, chisel, wstunnel];
/** Measured when named: too slow to tell anything, and no bar asks for it. */
const byNameOnly: readonly Peer[] = [socat];

export interface Selection {
  readonly peers: readonly Peer[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

type Wanted = Pick<BenchOptions, 'only' | 'smoke' | 'full' | 'builds' | 'tests'>;

/** Chooses by the options. Fails with UsageError for a name that nobody has, Error for one that cannot be measured. */
export function select({ only, smoke, full, builds, tests }: Wanted): Selection {
  const builtin = builds.some(({ name }) => name === ownBuild.name) ? [] : [ownBuild];
  const usual = [direct, ...[...builtin, ...builds].map(adit), ...programs];
  const all = [...usual, ...variants, ...byNameOnly];
  const names = all.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--adit: two pairs would be called "${twice}".`);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: "${unknown}" is none of ${names.join(', ')}.`);
  const wanted =
    only === undefined
      ? [...usual, ...(full ? variants : [])]
      : all.filter(({ name }) => only.includes(name)).map(inEveryTest);
  const missing = wanted.flatMap(({ name, unavailable }) => {
    const why = unavailable();
    return why === undefined ? [] : [{ name, why }];
  });
  const fatal = missing.find(
    ({ name }) => only !== undefined || all.some((peer) => peer.name === name && peer.kind === 'adit'),
  );
  if (fatal !== undefined) throw new Error(`${fatal.name} cannot be measured: ${fatal.why}`);
  const peers = wanted.filter(({ name }) => !missing.some((absent) => absent.name === name));
  return { peers: smoke && only === undefined ? forSmoke(peers, tests) : peers, missing };
}

function inEveryTest(peer: Peer): Peer {
  const { tests, ...rest } = peer;
  return tests === undefined ? peer : rest;
}

/** Adit beside a peer; across links, which few peers take part in, beside no tunnel at all. */
function forSmoke(peers: readonly Peer[], tests: Wanted['tests']): Peer[] {
  const kind = tests.every((name) => (linkTests as readonly string[]).includes(name)) ? 'bound' : 'peer';
  const other = peers.find((peer) => peer.kind === kind);
  if (other === undefined)
    throw new Error(
      `--smoke wants one of ${programs.map(({ name }) => name).join(', ')} beside Adit, and none is installed`,
    );
  return [...peers.filter((peer) => peer.kind === 'adit'), other];
}

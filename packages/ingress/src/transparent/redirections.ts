/**
 * Which connections each transparent listener can take, and how a firewall has to redirect them to it.
 * Rule: a listener on loopback takes connections of this machine; one on another address, or on all, also takes those
 * routed through it; TPROXY is for routed ones only. Two listeners for the same connections are refused: only the first
 * would ever get any.
 * Not here: the syntax of nftables and iptables.
 */
import { quote } from '@adit/shared/config/complaint';
import type { TransparentSpec } from '@adit/shared/config/values/transparent-listen';
import { AditError } from '@adit/shared/errors';
import { formatAddress, parseAddress, unmapped } from '@adit/shared/protocol/address';

/** Connections of programs on this machine, or of other machines that send them through it. */
export type Hook = 'output' | 'prerouting';

export interface Redirection {
  readonly hook: Hook;
  readonly family: 4 | 6;
  readonly how: 'redirect' | 'dnat' | 'tproxy';
  /** Absent: the kernel picks an address of this machine. */
  readonly address?: string;
  readonly port: number;
}

const both: readonly Hook[] = ['output', 'prerouting'];

/** At least one, in the order of the hooks. Throws USAGE or CONFIG_INVALID. */
export function redirectionsTo(specs: readonly TransparentSpec[]): Redirection[] {
  if (specs.length === 0)
    throw new AditError(
      'USAGE',
      '--print-rules prints the rules for --transparent, and there is none: add --transparent [BIND:]PORT',
    );
  const taken = new Map<string, string>();
  const redirections = specs.flatMap((spec) =>
    redirectionsOf(spec).map((redirection) => {
      const place =
        `the IPv${redirection.family} connections ` +
        `${redirection.hook === 'output' ? 'of this machine' : 'that are routed through this machine'}`;
      const earlier = taken.get(place);
      if (earlier !== undefined)
        throw new AditError(
          'CONFIG_INVALID',
          `--transparent ${quote(earlier)} and ${quote(spec.spec)} would both receive ${place}: print the rules ` +
            'for one of them',
        );
      taken.set(place, spec.spec);
      return redirection;
    }),
  );
  return redirections.sort(
    (one, other) => both.indexOf(one.hook) - both.indexOf(other.hook) || one.family - other.family,
  );
}

function redirectionsOf({ listen, tproxy, spec }: TransparentSpec): Redirection[] {
  if (listen.kind !== 'tcp' || listen.port === 0)
    throw new AditError(
      'CONFIG_INVALID',
      `--transparent ${quote(spec)}: rules need the port that it will listen on, which is not known yet: ` +
        'write [BIND:]PORT',
    );
  const bytes = parseAddress(listen.host);
  if (bytes === undefined)
    throw new AditError(
      'CONFIG_INVALID',
      `--transparent ${quote(spec)}: rules need an address, not a name: write 127.0.0.1, or * for every address`,
    );
  const { port } = listen;
  const every = bytes.every((byte) => byte === 0);
  const address = formatAddress(unmapped(bytes));
  const families: readonly (4 | 6)[] = address.includes(':') ? (every ? [4, 6] : [6]) : [4];
  const loopback = address.startsWith('127.') || address === '::1';
  const how = tproxy ? 'tproxy' : every || address === '127.0.0.1' || address === '::1' ? 'redirect' : 'dnat';
  const hooks = tproxy ? both.slice(1) : loopback ? both.slice(0, 1) : both;
  return hooks.flatMap((hook) =>
    families.map((family) => ({ hook, family, how, ...(how !== 'redirect' && !every && { address }), port }) as const),
  );
}

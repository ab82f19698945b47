/**
 * Which route a name takes: the one for the name itself, else the one for the longest `*.` suffix, else `*`.
 * Rule: the order in which routes are written does not matter. A lookup takes as many steps as the name has labels,
 * however many routes there are.
 */
import type { Destination } from '@adit/shared/protocol/destination';

export type SniTarget =
  | { readonly kind: 'fixed'; readonly destination: Destination }
  | { readonly kind: 'same-name'; readonly port: number }
  | { readonly kind: 'refuse' };

/** `pattern` is NAME, `*.NAME` or `*`, lower-case. */
export interface SniRoute {
  readonly pattern: string;
  readonly target: SniTarget;
}

/** The target for a lower-case name, or for a client that names none; undefined if there is no route. */
export type SniRouter = (serverName: string | undefined) => SniTarget | undefined;

/** No two patterns are the same. */
export function sniRouter(routes: readonly SniRoute[]): SniRouter {
  const targets = new Map(routes.map(({ pattern, target }) => [pattern, target]));
  return (serverName) => {
    if (serverName === undefined) return targets.get('*');
    let target = targets.get(serverName);
    for (let dot = serverName.indexOf('.'); target === undefined && dot >= 0; dot = serverName.indexOf('.', dot + 1))
      target = targets.get(`*${serverName.slice(dot)}`);
    return target ?? targets.get('*');
  };
}

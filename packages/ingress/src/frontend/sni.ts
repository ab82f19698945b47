/**
 * TLS passthrough: the client names its service in the ClientHello (SNI), and its bytes go there unchanged.
 * Rule: TLS does not end here, so the client sees the certificate of the service. Before there is a connection to the
 * service, the client gets alerts in the clear: unrecognized_name and missing_extension if no route matches,
 * access_denied if the egress denies, internal_error otherwise.
 * Not here: parsing the ClientHello (protocol/client-hello.ts). Of an encrypted one only the outer name is visible.
 */
import { type Destination, destinationOfHost } from '@adit/shared/protocol/destination';
import { alertFor, readGreeting, turnedAway } from './client-hello.ts';
import type { Ask, FrontEnd, TurnedAway } from './contract.ts';
import type { SniRouter } from './sni-routes.ts';

export interface SniOptions {
  readonly route: SniRouter;
  readonly deadlineMs: number;
}

export function sni({ route, deadlineMs }: SniOptions): FrontEnd {
  return {
    async ask(client): Promise<Ask | TurnedAway> {
      const greeting = await readGreeting(client, deadlineMs);
      if ('error' in greeting) return greeting;
      const { serverName, hello } = greeting;
      const destination = destinationOf(serverName, route);
      return 'error' in destination
        ? destination
        : { carry: 'splice', frontEnd: 'sni', destination, early: hello, refused: ({ code }) => alertFor(code) };
    },
  };
}

function destinationOf(serverName: string | undefined, route: SniRouter): Destination | TurnedAway {
  const target = route(serverName);
  if (target?.kind === 'fixed') return target.destination;
  if (serverName === undefined)
    return turnedAway({
      code: 'CLIENT_NO_ROUTE',
      reason: 'it names no server (SNI), and there is no --sni-route for *',
      alert: 'missingExtension',
    });
  if (target === undefined)
    return turnedAway({
      code: 'CLIENT_NO_ROUTE',
      reason: `no --sni-route matches ${serverName}`,
      alert: 'unrecognizedName',
    });
  if (target.kind === 'refuse')
    return turnedAway({
      code: 'CLIENT_NO_ROUTE',
      reason: `the --sni-route for ${serverName} says refuse`,
      alert: 'unrecognizedName',
    });
  const named = destinationOfHost(serverName, target.port);
  return named.ok
    ? named.value
    : turnedAway({ code: 'CLIENT_MALFORMED', reason: `${serverName}: ${named.reason}`, alert: 'unrecognizedName' });
}

/**
 * TLS passthrough: the client names its service in the ClientHello (SNI), and the very bytes go there.
 * Rule: nothing of TLS ends here: the certificate that the client sees is the service's. What it is told before there
 * is a service are alerts in the clear: unrecognized_name and missing_extension where no route fits, access_denied
 * where the egress denies, internal_error otherwise.
 * Not here: reading the hello (protocol/client-hello.ts), and what an encrypted one hides: its outer name is all that
 * shows.
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
      reason: 'it names no server (SNI), and no route is for such clients',
      alert: 'missingExtension',
    });
  if (target === undefined)
    return turnedAway({
      code: 'CLIENT_NO_ROUTE',
      reason: `no --sni-route is for ${serverName}`,
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

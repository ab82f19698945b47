/**
 * A carrier that is one TLS 1.3 connection, ALPN `adit/1`, certificates on both sides.
 * Rule: TLS 1.3 only, no tickets: a resumed TLS session would skip the check of the chain. On the egress the handshake always completes and the
 * peer is judged afterwards (identity/peer.ts), so that a refusal can say why.
 */
import { constants } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { AditError, messageOf } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import { factsOf, judgeEgress } from '../identity/peer.ts';
import type { RevocationList } from '../identity/revocation.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import type { Carrier } from './contract.ts';

export const alpn = 'adit/1';

/** The TLS options of an egress listener; for `tls.createServer` and `setSecureContext`. */
export function serverOptions(credentials: Credentials, clientCa: TrustAnchors): tls.TlsOptions {
  return {
    cert: credentials.certPem, key: credentials.keyPem, ca: [...clientCa.pem],
    minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET, ALPNProtocols: [alpn], noDelay: true,
  };
}

/** An authenticated TLS socket as a carrier. `exportKey` throws LINK_LOST on one that has died: there is nothing left to export from. */
export function tlsCarrier(socket: tls.TLSSocket, remote: string): Carrier {
  const exportKey = (label: string, context: Buffer): Buffer => {
    if (socket.destroyed) throw new AditError('LINK_LOST', `the connection to ${remote} closed`);
    return socket.exportKeyingMaterial(32, label, context);
  };
  return { kind: 'tls', duplex: socket, remote, exportKey };
}

export interface DialTlsOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate of the egress must cover; default the host. */
  readonly serverName: string;
  readonly credentials: Credentials;
  readonly ca: TrustAnchors;
  readonly revocation?: RevocationList;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Connects and verifies the egress. Rejects with EGRESS_UNREACHABLE, EGRESS_CERT_INVALID or LINK_TIMEOUT. */
export function dialTls(options: DialTlsOptions): Promise<Carrier> {
  const remote = options.host.includes(':') ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: options.host, port: options.port, allowHalfOpen: true, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 250, noDelay: true,
      ...(net.isIP(options.serverName) === 0 && { servername: options.serverName }),
      cert: options.credentials.certPem, key: options.credentials.keyPem, ca: [...options.ca.pem],
      minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ALPNProtocols: [alpn],
      rejectUnauthorized: false, // judgeEgress below decides, on the same verification, before a byte is sent, and says why
    } as tls.ConnectionOptions);
    const fail = (error: AditError): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new AditError('LINK_TIMEOUT', `no TLS connection to the egress ${remote} within ${options.deadlineMs / 1000} s`)), options.deadlineMs);
    const aborted = (): void => fail(new AditError('EGRESS_UNREACHABLE', `the connection to the egress ${remote} was given up`));
    options.signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', (error: NodeJS.ErrnoException) => fail(explain(error, remote)));
    socket.once('close', () => fail(new AditError('EGRESS_UNREACHABLE', `the egress ${remote} closed the connection during the handshake`)));
    socket.once('secureConnect', () => {
      const verdict = judgeEgress(factsOf(socket), { now: new Date(), anchors: options.ca, serverName: options.serverName, ...(options.revocation && { revocation: options.revocation }) });
      if (!verdict.ok) {
        fail(new AditError(verdict.code, `the egress ${remote} cannot be trusted: ${verdict.reason}`));
        return;
      }
      if (socket.alpnProtocol !== alpn) {
        fail(new AditError('EGRESS_UNREACHABLE', `what listens at ${remote} is not an Adit egress (it does not speak ${alpn})`));
        return;
      }
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      resolve(tlsCarrier(socket, remote));
    });
    if (options.signal.aborted) aborted();
  });
}

function explain(error: NodeJS.ErrnoException, remote: string): AditError {
  const code = error.code ?? '';
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return new AditError('EGRESS_UNREACHABLE', `what listens at ${remote} is not an Adit egress (${code})`, { cause: error });
  return new AditError('EGRESS_UNREACHABLE', `cannot reach the egress ${remote} (${code || messageOf(error)})`, { cause: error });
}

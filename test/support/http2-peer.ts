/**
 * A foreign peer of HTTP/2 over mutual TLS, by Python's library h2: a client of an egress, or a proxy for an ingress.
 * It sends exactly what it is told to, also what a polite peer would not.
 * Rule: what it has heard is kept, so that a wait may begin late. It is killed at the end of the file.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Certificates, KeyPair } from './certificates.ts';
import { Child } from './child.ts';
import type { Ability } from './scenario.ts';

/** Debian's own interpreter, which its packages are for. */
const python = '/usr/bin/python3';

export const http2Library: Ability = {
  name: 'python3-h2',
  here: () => {
    try {
      execFileSync(python, ['-c', 'import h2'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  },
};

/** `reset` is RST_STREAM; `fin` ends TCP without close_notify; `cut` is RST of TCP. */
export type Http2Command =
  | { readonly open: string }
  | { readonly send: number; readonly bytes: number }
  | { readonly end: number }
  | { readonly reset: number; readonly code: number }
  | { readonly goaway: number }
  | { readonly fin: 1 }
  | { readonly cut: 1 };

type What = 'listening' | 'request' | 'status' | 'got' | 'end' | 'reset' | 'closed';
interface Heard {
  readonly what: What;
  readonly id?: number;
  readonly [fact: string]: unknown;
}

export class Http2Peer {
  readonly #child: Child;

  private constructor(args: readonly string[]) {
    this.#child = new Child(python, [join(import.meta.dirname, 'http2-peer.py'), ...args], {
      name: 'http2-peer.py',
      listens: true,
      stopSignal: 'SIGKILL',
    });
  }

  static client({ port, certs }: { port: number; certs: Certificates }, { cert, key }: KeyPair): Http2Peer {
    return new Http2Peer(['client', String(port), certs.ca, cert, key]);
  }

  /** A proxy for one connection; `port` is where it listens. */
  static async server({ ca, egress: { cert, key } }: Certificates): Promise<{ peer: Http2Peer; port: number }> {
    const peer = new Http2Peer(['server', '0', ca, cert, key]);
    return { peer, port: Number((await peer.heard('listening'))['port']) };
  }

  /** Sends all of them in one write. */
  say(...commands: readonly Http2Command[]): void {
    this.#child.say(JSON.stringify(commands));
  }

  /** Resolves when this has happened, to this stream if an id is given. */
  heard(what: Heard['what'], id?: number): Promise<Heard> {
    return this.#child.until(`${what} ${id ?? ''}`, () => this.#heard(what, id).at(0));
  }

  /** Waits for one more than `count` of these, and returns it. */
  next(what: Heard['what'], count: number): Promise<Heard> {
    return this.#child.until(`${what} number ${count + 1}`, () => this.#heard(what).at(count));
  }

  #heard(what: What, id?: number): Heard[] {
    return this.#child.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Heard)
      .filter((one) => one.what === what && (id === undefined || one.id === id));
  }
}

/**
 * Every client of the egress, whichever way it came in: admitted, judged again when a file changes, drained, ended.
 * Rule: nobody is a client without having been admitted, and whoever may no longer be one is ended with the reason and
 * one `denied` line.
 * Not here: the way in itself. A new one calls `admit`, `join`, `Client.serve` and `Client.left`, and needs no copy of
 * what is here.
 */
import type { Duplex } from 'node:stream';
import type { Refusal } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { Lease, SessionPlace } from '../limits/limits.ts';
import {
  admit,
  admitAgain,
  type AdmitContext,
  type Admission,
  certificateRefusal,
  policyRefusal,
  type Proof,
} from './admit.ts';
import { Client, type ClientContext, type Joining } from './client.ts';
import { type DeniedLine, DeniedLog } from './denied.ts';

export interface ClientsContext
  extends AdmitContext, Omit<ClientContext, 'held' | 'streamEnded' | 'turnAway' | 'left'> {}

export class Clients {
  readonly #context: ClientsContext;
  readonly #ofEach: ClientContext;
  readonly #clients = new Set<Client>();
  /** Connections, and streams of HTTP/2, that carry or carried a stream of ours and are not closed yet. */
  readonly #held = new Set<Duplex>();
  #emptied: (() => void) | undefined;
  readonly #denied: DeniedLog;

  constructor(context: ClientsContext) {
    this.#context = context;
    this.#denied = new DeniedLog(context.log);
    this.#ofEach = {
      ...context,
      held: (duplex) => this.#hold(duplex),
      streamEnded: () => this.#checkEmpty(),
      turnAway: (client, refusal) => this.#turnAway(client, refusal),
      left: (client) => {
        this.#clients.delete(client);
        this.#checkEmpty();
      },
    };
  }

  get size(): number {
    return this.#clients.size;
  }
  get draining(): boolean {
    return this.#context.draining();
  }

  /** The verdict on a peer that wants to come in. Refuses as `admit` does, and with EXCESSIVE. */
  admit(proof: Proof): Admission {
    const admitted = admit(proof, this.#context);
    const refusal = admitted.identity && this.#context.limits.spent(admitted.identity.uri);
    return admitted.refusal || !refusal ? admitted : { identity: admitted.identity, refusal };
  }

  /** The verdict on one that was admitted, when time has passed before it joins. */
  admitAgain(identity: PeerIdentity): Refusal | undefined {
    return admitAgain(identity, this.#context) ?? this.#context.limits.spent(identity.uri);
  }

  /** One `denied` line in the log. */
  denied(line: DeniedLine): void {
    this.#denied.write(line);
  }

  /** A place among the sessions and connections of one identity. Refuses with LIMIT_SESSIONS. */
  place({ uri }: PeerIdentity): SessionPlace | Refusal {
    return this.#context.limits.session(uri);
  }

  /** A place for one more lane of a session. Refuses with LIMIT_SESSIONS. */
  lanePlace({ uri }: PeerIdentity): Lease | Refusal {
    return this.#context.limits.lane(uri);
  }

  /** Adds a client that was admitted; it stays until its `left`. */
  join(joining: Joining): Client {
    const client = new Client(joining, this.#ofEach);
    this.#clients.add(client);
    return client;
  }

  /** The policy changed: ends the clients that it no longer names, and resets the streams that it no longer allows. */
  recheckPolicy(): void {
    const policy = this.#context.policy();
    for (const client of this.#present()) {
      const refusal = policyRefusal(client.identity, policy);
      if (refusal) this.#turnAway(client, refusal);
      else client.recheck('policy');
    }
  }

  /** CAs or the revocation list changed, or time passed: ends the clients whose certificate no longer holds. */
  recheckIdentities(): void {
    const peers = this.#context.peers();
    for (const client of this.#present()) {
      const refusal = certificateRefusal(client.identity, peers);
      if (refusal) this.#turnAway(client, refusal);
    }
  }

  /**
   * No new streams but those that cross the announcement; resolves when the last stream is over and its connection
   * closed. `draining` is true by now.
   */
  drain(graceMs: number): Promise<void> {
    for (const client of this.#present()) client.leave(graceMs);
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#checkEmpty();
    });
  }

  /** Ends every client, and a turn later cuts what a reset did not close. */
  endAll(refusal: Refusal): void {
    for (const client of this.#present()) client.end(refusal);
    setImmediate(() => {
      for (const duplex of [...this.#held]) duplex.destroy();
    });
  }

  #present(): Client[] {
    return [...this.#clients].filter(({ ended }) => !ended);
  }

  #turnAway(client: Client, refusal: Refusal): void {
    const { name: session, remote, identity } = client;
    this.denied({ remote, session, identity, refusal, message: 'ended' });
    client.end(refusal);
  }

  #hold(duplex: Duplex): void {
    this.#held.add(duplex);
    duplex.once('close', () => {
      this.#held.delete(duplex);
      this.#checkEmpty();
    });
  }

  #checkEmpty(): void {
    if (!this.#emptied || this.#held.size > 0) return;
    for (const { busy } of this.#clients) if (busy) return;
    this.#emptied();
  }
}

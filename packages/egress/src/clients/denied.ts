/**
 * The `denied` line of the log: a peer was turned away.
 * Rule: every such line is written here, so that all have the same fields. `reason` is the detail, which the peer is
 * not told, or where there is none the reason.
 * Spec: docs/logs.md.
 */
import type { Refusal } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { Logger } from '@adit/shared/observe/logger';

export interface DeniedLine {
  /** Where it comes from; absent where the line is about several. */
  readonly remote?: string;
  /** The session or connection that this ends. */
  readonly session?: string;
  /** As far as a certificate proved it. */
  readonly identity?: PeerIdentity | undefined;
  readonly refusal: Refusal;
  /** For people: "refused" unless said otherwise. */
  readonly message?: string;
}

export function logDenied(log: Logger, { remote, session, identity, refusal, message = 'refused' }: DeniedLine): void {
  const { code, reason, detail } = refusal;
  log.warn(
    {
      event: 'denied',
      ...(remote !== undefined && { remote }),
      ...(session !== undefined && { session }),
      ...(identity && { identity: identity.uri }),
      code,
      reason: detail ?? reason,
    },
    message,
  );
}

/** How long the attempts of one identity are counted for one line, ms. */
const countMs = 1_000;

/**
 * The lines about clients. An identity that is sent away for a moment (EXCESSIVE) and keeps coming back has one line at
 * once and then one a second that counts, so that it cannot fill the log.
 */
export class DeniedLog {
  readonly #log: Logger;
  /** Attempts since the last line, of identities that had one within the last second. */
  readonly #more = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  write(line: DeniedLine): void {
    const { identity, session, refusal } = line;
    if (identity === undefined || session !== undefined || refusal.code !== 'EXCESSIVE') {
      logDenied(this.#log, line);
      return;
    }
    const more = this.#more.get(identity.uri);
    if (more !== undefined) {
      this.#more.set(identity.uri, more + 1);
      return;
    }
    logDenied(this.#log, line);
    this.#count(identity, refusal);
  }

  #count(identity: PeerIdentity, refusal: Refusal): void {
    this.#more.set(identity.uri, 0);
    setTimeout(() => {
      const more = this.#more.get(identity.uri)!;
      this.#more.delete(identity.uri);
      if (more === 0) return;
      const reason = `${refusal.reason}; ${more} more attempts since the last line`;
      logDenied(this.#log, { identity, refusal: { ...refusal, reason } });
      this.#count(identity, refusal);
    }, countMs).unref();
  }
}

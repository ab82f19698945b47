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

/**
 * The answer that refuses a CONNECT: status, Proxy-Status and a short text that says why and what to do.
 * Rule: all of it comes from the one table of codes, and only the reason of the refusal is sent; our own code goes
 * along, for an ingress. Spec: RFC 9110 section 15, RFC 9209 (`error` and `details`; `adit-code` is ours), RFC 9651
 * section 3.3.3 for the string.
 */
import { STATUS_CODES } from 'node:http';
import { codes } from '@adit/shared/codes';
import type { Refusal } from '@adit/shared/errors';

/** Where the request itself is at fault: the status in place of that of the code. */
export type BadRequest = 400 | 501;

export interface RefusalAnswer {
  readonly status: number;
  /** "403 Forbidden". */
  readonly statusLine: string;
  /** Lower-case names; without content-length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Our name in Proxy-Status. */
export const proxyName = 'adit';
const retryAfterS = 1;

export function refusalAnswer({ code, reason }: Refusal, badRequest?: BadRequest): RefusalAnswer {
  const { http, proxyStatus, retryable, advice } = codes[code];
  const status = badRequest ?? http;
  const error = badRequest === undefined ? proxyStatus : 'http_request_error';
  return {
    status,
    statusLine: `${status} ${STATUS_CODES[status] ?? ''}`,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'proxy-status': `${proxyName}; error=${error}; details=${quoted(reason)}; adit-code=${code}`,
      ...(retryable && (status === 503 || status === 429) && { 'retry-after': String(retryAfterS) }),
    },
    text: `${code}: ${reason}\n${badRequest === undefined ? `${advice}\n` : ''}`,
  };
}

/** A string of structured fields: printable ASCII. */
function quoted(text: string): string {
  return `"${text
    .slice(0, 256)
    .replace(/[^ -~]/g, '?')
    .replace(/["\\]/g, '\\$&')}"`;
}

/**
 * AditError, the one class of errors, and Refusal, a typed no; both name a code of the table (codes.ts).
 * Rule: nobody branches on message text.
 * Not here: how a code is encoded (protocol/refusal.ts) or logged (observe).
 */
import { codes, type CodeRow, type Origin } from './codes.ts';

export type Code = keyof typeof codes;

/** A typed no. `reason` may be shown to the peer; `detail` says more and is for our own log only. */
export interface Refusal {
  readonly code: Code;
  readonly reason: string;
  readonly detail?: string;
}

/** A refusal of which more is known than the table advises. */
export interface AdvisedRefusal extends Refusal {
  readonly advice?: string | undefined;
}

/** What an error may carry beside its code and message. */
export interface AditErrorOptions {
  readonly cause?: unknown;
  readonly by?: 'us' | 'next-hop';
  /** One sentence: what the reader can do, where more is known than the table says. */
  readonly advice?: string | undefined;
}

/**
 * The one error class. `message` is a whole sentence, safe to show to the user and to log; `advice` comes from the
 * table, unless the place that failed knows better.
 */
export class AditError extends Error {
  override readonly name = 'AditError';
  readonly code: Code;
  /** Who said no: this process, or the next hop that it asked. */
  readonly by: 'us' | 'next-hop';
  /** The advice of the place that failed, if it knew better than the table. */
  readonly ownAdvice: string | undefined;
  constructor(code: Code, message: string, { by = 'us', advice, ...options }: AditErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.by = by;
    this.ownAdvice = advice;
  }
  get row(): CodeRow {
    return codes[this.code];
  }
  get origin(): Origin {
    return this.row.origin;
  }
  get retryable(): boolean {
    return this.row.retryable;
  }
  get advice(): string {
    return this.ownAdvice ?? this.row.advice;
  }
  get exitStatus(): number {
    return this.row.exit;
  }
}

/**
 * Runs `load`; an AditError of it says in addition what it was about, and which options to look at: a file is named by
 * an option or by a policy, and only the caller knows which.
 */
export function about<T>({ what, advice }: { readonly what?: string; readonly advice: string }, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof AditError)) throw error;
    const message = what === undefined ? error.message : `${what}: ${error.message}`;
    throw new AditError(error.code, message, { cause: error, by: error.by, advice: error.ownAdvice ?? advice });
  }
}

const byWire = new Map<number, Code>(
  (Object.entries(codes) as [Code, CodeRow][]).flatMap(([code, { wire }]) =>
    wire === undefined ? [] : [[wire, code]],
  ),
);

/** Is this a name of the table? */
export function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(codes, value);
}

/** The code of a wire number; a number of a newer peer reads as INTERNAL. */
export function codeOfWire(wire: number): Code {
  return byWire.get(wire) ?? 'INTERNAL';
}

/** The wire number of a code; a code that never crosses the wire goes out as INTERNAL (2). */
export function wireOfCode(code: Code): number {
  const row: CodeRow = codes[code];
  return row.wire ?? 2;
}

/** The message of anything thrown, for `cause` chains and logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the client of a link test is asked to do, and what it answers; both cross a process boundary as JSON. */

export interface LinkPlan {
  /** Bulk streams that run meanwhile, all one way; up is from client to service. */
  readonly streams: number;
  readonly way: 'up' | 'down';
  /** Before anything counts. */
  readonly warmMs: number;
  /** Before pings count. */
  readonly settleMs: number;
  readonly measureMs: number;
  readonly ping: boolean;
  /** Connections that are timed to their first byte. */
  readonly firsts: number;
}

export interface LinkSample {
  /** Mbit/s of all streams together. */
  readonly megabits?: number;
  /** Medians, ms. */
  readonly ping?: number;
  readonly first?: number;
}

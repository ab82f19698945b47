/** What is fuzzed: one row for each decoder and state machine that reads what others wrote. */
import { derTargets } from './der-targets.ts';
import { doorTargets } from './door-targets.ts';
import { handshakeTargets } from './handshake-targets.ts';
import { httpTargets } from './http-targets.ts';
import type { Target } from './input.ts';
import { sessionTargets } from './session-targets.ts';
import { textTargets } from './text-targets.ts';

export const targets: readonly Target[] = [
  ...doorTargets,
  ...sessionTargets,
  ...handshakeTargets,
  ...httpTargets,
  ...textTargets,
  ...derTargets,
];

/**
 * The memory of each half that has nothing to do: started, connected to the other half, no connection yet.
 * Resident is what the kernel's tools show. Proportional shares the pages of Node's code among all programs that run on
 * Node, so that it depends on who else does. Anonymous is what this process alone has, whoever else runs.
 */
import type { Half } from '../pair.ts';
import type { RowName } from '../report/row.ts';
import type { Load } from './load.ts';
import { memoryAtRest } from './memory-at-rest.ts';

export const rest: Load = {
  test: 'rest',
  service: 'http',
  needs: ['nginx'],
  of: 'adit',
  async measure(pair) {
    await memoryAtRest(pair);
    const values: Partial<Record<RowName, number>> = {};
    for (const half of ['egress', 'ingress'] as const satisfies readonly Half[]) {
      const { resident, total, anonymous } = pair.memory(half);
      values[`rest-${half}-rss`] = resident / 1e6;
      values[`rest-${half}-pss`] = total / 1e6;
      values[`rest-${half}-anon`] = anonymous / 1e6;
    }
    return { trouble: [], values };
  },
};

import { test } from '@jest/globals';
import fc from 'fast-check';
import { lanesProperty } from '../../../../../test/support/mux-lanes-property.ts';

test('carriers of any lane die at any byte while streams move, end and are reset: bytes in order and complete', () => {
  fc.assert(lanesProperty(), { numRuns: 1_500 });
});

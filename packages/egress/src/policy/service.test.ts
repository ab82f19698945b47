import { expect, it } from '@jest/globals';
import { healthDefaults, serviceDefaults } from './service.ts';

it('takes more than one lost probe for an outage by default', () => {
  expect(healthDefaults.fall).toBeGreaterThan(1);
  expect(healthDefaults.timeoutMs).toBeLessThan(healthDefaults.intervalMs);
  expect(serviceDefaults.balance).toBe('round-robin');
});

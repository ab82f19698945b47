import { expect, it } from '@jest/globals';
import { healthDefaults, serviceDefaults } from './service.ts';

it('checks more patiently than it gives up: one lost probe is no outage', () => {
  expect(healthDefaults.fall).toBeGreaterThan(1);
  expect(healthDefaults.timeoutMs).toBeLessThan(healthDefaults.intervalMs);
  expect(serviceDefaults.balance).toBe('round-robin');
});

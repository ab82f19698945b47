import { describe, expect, test } from '@jest/globals';
import { describeMachine, machineLines } from './machine.ts';
import { direct } from './peers/direct.ts';

const machine = {
  processor: 'Some CPU',
  cores: 2,
  memoryGiB: 8,
  system: 'Linux 6.1',
  load: 0.1,
  versions: { nginx: '1.22.1', wrk: '4.1.0' },
};

describe('the machine', () => {
  test('is told in words', () => {
    expect(machineLines(machine)).toEqual(['Some CPU, 2 cores, 8 GiB, Linux 6.1', 'nginx 1.22.1, wrk 4.1.0']);
  });
  test('that was busy is told as such', () => {
    expect(machineLines({ ...machine, load: 1.5 }).at(-1)).toContain('load 1.50');
  });
  test('gives versions of tunnels and tools, not of what is no program', async () => {
    const { versions, cores } = await describeMachine([
      direct,
      { ...direct, name: 'tunnel', kind: 'peer', version: () => Promise.resolve('3.4') },
    ]);
    expect(versions).toMatchObject({ tunnel: '3.4' });
    expect(versions).not.toHaveProperty('direct');
    expect(cores).toBeGreaterThan(0);
  });
});

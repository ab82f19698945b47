/**
 * Attackers of the soak, as a process of their own: each kind repeats its attack until it is told to stop, and comes
 * back when it is cut.
 * Rule: an attack counts as done when it was carried out; to be refused or cut is no failure, but what it is for.
 * usage: node test/soak/attackers.ts '{"port": ..., "ca": ..., "pairs": {KIND: {...}}, ...}'
 */
import { report, Counting, toldToStop } from './tally.ts';
import type { Attack, AttackOptions } from './attack.ts';
import { members } from './members.ts';
import { strangers } from './strangers.ts';

const options = JSON.parse(process.argv[2] ?? '') as AttackOptions;
let stopping = false;
void toldToStop().then(() => {
  stopping = true;
});
const over = (): boolean => stopping;
const attacks = { ...strangers, ...members };

/** Who holds connections open for ever leaves with the process. */
report(await Promise.all(Object.entries(attacks).map(([kind, attack]) => repeated(kind, attack))));

async function repeated(kind: string, attack: Attack): Promise<Counting> {
  const tally = new Counting(kind);
  while (!stopping) {
    try {
      await attack(options, over);
      tally.done++;
    } catch (error) {
      tally.fail(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return tally;
}

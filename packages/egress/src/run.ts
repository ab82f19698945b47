/** Runs an egress until it is told to stop. */
import { AditError } from '@adit/shared';
import type { EgressOptions } from './options.ts';

export async function runEgress(_options: EgressOptions): Promise<number> { throw new AditError('INTERNAL', 'the egress cannot run yet'); }

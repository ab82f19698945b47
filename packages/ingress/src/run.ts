/** Runs an ingress until it is told to stop. */
import { AditError } from '@adit/shared';
import type { IngressOptions } from './options.ts';

export async function runIngress(_options: IngressOptions): Promise<number> { throw new AditError('INTERNAL', 'the ingress cannot run yet'); }

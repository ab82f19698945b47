/** `adit ingress` alone: what this command does not use is not loaded. */
import { ingressCommand } from '@adit/ingress/command';
import { runProgram } from '@adit/shared/process/run-program';
import { aditOf } from '../../adit.ts';

void runProgram('adit', () => aditOf([ingressCommand()]));

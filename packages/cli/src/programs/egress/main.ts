/** `adit egress` alone: what this command does not use is not loaded. */
import { egressCommand } from '@adit/egress/command';
import { runProgram } from '@adit/shared/process/run-program';
import { aditOf } from '../../adit.ts';

void runProgram('adit', () => aditOf([egressCommand()]));

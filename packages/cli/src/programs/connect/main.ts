/** `adit connect` alone: what this command does not use is not loaded. */
import { connectCommand } from '@adit/ingress/stdio/command';
import { runProgram } from '@adit/shared/process/run-program';
import { aditOf } from '../../adit.ts';

void runProgram('adit', () => aditOf([connectCommand()]));

#!/usr/bin/env node
/** The program `adit-ingress`: the ingress alone, and `adit-ingress connect`, for a machine that needs nothing else. */
import { packageVersion, runProgram } from '@adit/shared';
import { ingressCommand } from './command.ts';
import { connectCommand } from './stdio/command.ts';

await runProgram('adit-ingress', () => ingressCommand().name('adit-ingress').version(packageVersion(import.meta.url)).enablePositionalOptions().addCommand(connectCommand()));

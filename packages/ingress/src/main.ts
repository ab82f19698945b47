#!/usr/bin/env node
/** The program `adit-ingress`: the ingress alone, and `adit-ingress connect`, for a machine that needs nothing else. */
import { runProgram } from '@adit/shared/process/run-program';
import { ingressProgram } from './command.ts';

void runProgram('adit-ingress', ingressProgram);

#!/usr/bin/env node
import { fromEvent } from 'rxjs';
import { main } from './main.js';

void main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  entry: process.argv[1] ?? '',
  interrupts: fromEvent(process, 'SIGINT'),
  now: () => performance.now(),
}).then((code) => process.exit(code));

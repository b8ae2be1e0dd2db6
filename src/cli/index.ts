#!/usr/bin/env node
import { main } from './main.js';

const interrupt = new AbortController();
// Once: a second Ctrl-C ends the process by itself, whatever the first one waits for.
process.once('SIGINT', () => interrupt.abort());

void main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  entry: process.argv[1] ?? '',
  interrupt: interrupt.signal,
  now: () => performance.now(),
}).then((code) => process.exit(code));

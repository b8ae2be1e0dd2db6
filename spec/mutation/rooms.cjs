// The specs of the three rooms as one: to load RxJS for each of them takes most of a mutant's time.
const { readdirSync } = require('node:fs');
const { join } = require('node:path');
const { config } = require('rxjs');

const { setTimeout } = globalThis;

// An error that nobody listens for fails the test. By itself it would end the process, and not count.
let unhandled = [];
config.onUnhandledError = (error) => unhandled.push(error);
afterEach(async () => {
  // RxJS reports with a timer, which this one follows.
  await new Promise((resolve) => setTimeout(resolve));
  const [error] = unhandled;
  unhandled = [];
  if (error !== undefined) throw error;
});

const spec = join(__dirname, '..');
const all = ['flow', 'operators', 'relay', 'request', 'response', 'response/chunks'];
const named = (process.env.MUTATION_ROOMS ?? '').split(',').filter((room) => room !== '');
for (const room of named.length > 0 ? named : all) {
  for (const file of readdirSync(join(spec, room)).sort()) {
    // Real sockets make what they do longer than all the others together.
    if (file.endsWith('.spec.ts') && !file.endsWith('-over-sockets.spec.ts')) require(join(spec, room, file));
  }
}
// A named room is asked alone: minutes.
const wholeTurns = ['conformance/behaviour', 'iterate-chat-completions', 'stream-chat-completions'];
for (const file of named.length > 0 ? [] : wholeTurns) require(join(spec, `${file}.spec.ts`));

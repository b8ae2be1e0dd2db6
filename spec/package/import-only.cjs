// Loads the module named by the arguments (`import` or `require`, then the name) and compares the
// process before and after: an import that starts, patches or listens shows itself. Peers that are named
// after it are loaded first: Angular's core declares a global.
const assert = require('node:assert/strict');

const [how, name, ...peers] = process.argv.slice(2);
const load = how === 'import' ? () => import(name) : async () => require(name);

const snapshot = () => ({
  globals: Object.getOwnPropertyNames(globalThis).sort(),
  functions: Object.getOwnPropertyNames(globalThis)
    .filter((global) => /^(fetch|Promise|Array|Object|setTimeout|setInterval)$/.test(global))
    .map((global) => globalThis[global]),
  listeners: process.eventNames().map(String).sort(),
  environment: { ...process.env },
});

(async () => {
  // The first import of a process opens the loader's own handles.
  for (const peer of ['rxjs', ...peers]) await import(peer);
  const before = snapshot();
  const started = [];
  for (const timer of ['setTimeout', 'setInterval', 'setImmediate']) {
    const original = globalThis[timer];
    globalThis[timer] = (...args) => (started.push(timer), original(...args));
    before[timer] = original;
  }
  await load();
  for (const timer of ['setTimeout', 'setInterval', 'setImmediate']) {
    globalThis[timer] = before[timer];
    delete before[timer];
  }
  assert.deepEqual(snapshot(), before);
  assert.deepEqual(started, []);
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((resource) => /TCP|Server|Timeout|Immediate/.test(resource)),
    [],
  );
  console.log('done');
})();

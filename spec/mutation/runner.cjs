// A test runner for Stryker that loads the specs once and runs them in its own process, mutant after mutant: to load
// RxJS and the specs anew, as its Jest runner does, takes a hundred times as long as the tests that reach a mutant.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join, sep } = require('node:path');
const { transformSync } = require('@swc/core');
const { declareClassPlugin, PluginKind } = require('@stryker-mutator/api/plugin');
const { determineHitLimitReached, toMutantRunResult } = require('@stryker-mutator/api/test-runner');
const ofJest = Module.createRequire(
  require.resolve('jest-circus/package.json', { paths: [require.resolve('jest')] }),
);
const { expect } = ofJest('expect');
const { ModuleMocker } = ofJest('jest-mock');
const { format } = require('node:util');

/** How long one test may wait, in milliseconds of real time, also where a spec has made time stand still. */
const longestTest = 5_000;
const { setTimeout, clearTimeout, performance } = globalThis;

/** What Stryker writes into the code asks this which mutant is on. */
const stryker = (globalThis.__stryker__ ??= {});

const inSandbox = (file) =>
  file.startsWith(process.cwd() + sep) && !file.includes(`${sep}node_modules${sep}`);

/** TypeScript as `jest.config.js` has it. */
function readTypeScript() {
  Module._extensions['.ts'] = (module, filename) => {
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      filename,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    module._compile(code, filename);
  };
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, ...rest) {
    const [name, entry = ''] = /^rxjs-chat-completions(?:\/(.*))?$/.exec(request) ?? [];
    if (name !== undefined) return join(process.cwd(), 'src', entry, 'index.ts');
    const isOurs = request.startsWith('.') && request.endsWith('.js') && inSandbox(parent?.filename ?? '');
    try {
      return resolve.call(this, isOurs ? request.replace(/\.js$/, '.ts') : request, parent, ...rest);
    } catch (error) {
      if (!isOurs) throw error;
      return resolve.call(this, request, parent, ...rest);
    }
  };
}

function forget() {
  const known = Object.keys(require.cache).filter(inSandbox);
  return known.map((file) => {
    const module = require.cache[file];
    delete require.cache[file];
    return [file, module];
  });
}

/** As much of Jest as the specs use. */
function globals() {
  let block = { names: [], before: [], after: [] };
  const tests = [];
  const ids = new Map();

  const describe = (name, body) => {
    const outer = block;
    block = { names: [...outer.names, name], outer, before: [], after: [] };
    body();
    block = outer;
  };
  const it = (title, run) => {
    const name = [...block.names, title].join(' ');
    const count = (ids.get(name) ?? 0) + 1;
    ids.set(name, count);
    tests.push({ id: count === 1 ? name : `${name} (${count})`, block, run });
  };
  const titleOf = (title, values) => {
    try {
      return format(title.replace(/%[psdjio]/g, '%j'), ...values);
    } catch {
      // A value that cannot be written, which is what its test is about.
      return title;
    }
  };
  const withEach = (one) => {
    one.each = (rows) => (title, body) =>
      rows.forEach((row, place) => {
        const values = rows.every(Array.isArray) ? row : [row];
        one(`${titleOf(title, values)} #${place}`, (...rest) => body(...values, ...rest));
      });
    return one;
  };

  const mocker = new ModuleMocker(globalThis);
  const { ModernFakeTimers } = ofJest('@jest/fake-timers');
  const timers = new ModernFakeTimers({
    global: globalThis,
    config: { rootDir: process.cwd(), fakeTimers: {} },
  });
  const ofTimers = Object.fromEntries(
    [
      'useFakeTimers',
      'useRealTimers',
      'advanceTimersByTime',
      'advanceTimersByTimeAsync',
      'getTimerCount',
      'runAllTimers',
      'runOnlyPendingTimers',
      'setSystemTime',
    ].map((name) => [name, (...args) => timers[name](...args)]),
  );
  const jest = {
    fn: mocker.fn.bind(mocker),
    spyOn: mocker.spyOn.bind(mocker),
    restoreAllMocks: () => mocker.restoreAllMocks(),
    setTimeout() {},
    async isolateModulesAsync(body) {
      const kept = forget();
      await body();
      forget();
      Object.assign(require.cache, Object.fromEntries(kept));
    },
    ...ofTimers,
  };
  const hooks = {
    beforeEach: (hook) => block.before.push(hook),
    afterEach: (hook) => block.after.push(hook),
    // Once for each of its tests is often enough where they are run one by one.
    beforeAll: (hook) => block.before.push(hook),
    afterAll: (hook) => block.after.push(hook),
  };
  Object.assign(globalThis, { describe: withEach(describe), it: withEach(it), jest, expect, ...hooks });
  return { tests, reset: () => (timers.useRealTimers(), mocker.restoreAllMocks()) };
}

const blocksOf = (block) => (block.outer === undefined ? [block] : [...blocksOf(block.outer), block]);

async function runOne({ block, run }) {
  const blocks = blocksOf(block);
  let failure;
  const step = async (body) => {
    try {
      await body();
    } catch (error) {
      failure ??= error ?? new Error('Something was thrown.');
    }
  };
  for (const { before } of blocks) for (const hook of before) await step(hook);
  if (failure === undefined) await step(run);
  for (const { after } of blocks.reverse()) for (const hook of after) await step(hook);
  return failure;
}

function withinTime(promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, longestTest, new Error('The test did not end.'));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class InProcessRunner {
  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    readTypeScript();
    // What a mutant throws into the void is its own.
    process.on('uncaughtException', () => {});
    process.on('unhandledRejection', () => {});
  }

  load() {
    forget();
    const { tests, reset } = globals();
    require(join(process.cwd(), 'spec/mutation/rooms.cjs'));
    const named = new RegExp(process.env.MUTATION_TESTS ?? '');
    // Real sockets wait, and a busy machine makes them break.
    const isAsked = ({ id }) => named.test(id) && !id.includes('over sockets');
    this.loaded = { tests: tests.filter(isAsked), reset };
  }

  async run(tests, bail) {
    const results = [];
    for (const test of tests) {
      stryker.currentTestId = test.id;
      const start = performance.now();
      const failure = await withinTime(runOne(test));
      this.loaded.reset();
      const result = { id: test.id, name: test.id, timeSpentMs: performance.now() - start };
      results.push(
        failure === undefined
          ? { ...result, status: 0 }
          : { ...result, status: 1, failureMessage: String(failure?.message ?? failure) },
      );
      if (bail && failure !== undefined) break;
    }
    stryker.currentTestId = undefined;
    return results;
  }

  async dryRun() {
    stryker.activeMutant = undefined;
    this.load();
    const tests = await this.run(this.loaded.tests, false);
    return { status: 'complete', tests, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, mutantActivation, reloadEnvironment, testFilter, hitLimit, disableBail }) {
    const isStatic = mutantActivation === 'static';
    Object.assign(stryker, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    stryker.activeMutant = isStatic ? activeMutant.id : undefined;
    try {
      if (this.loaded === undefined || reloadEnvironment) this.load();
    } catch (error) {
      this.loaded = undefined;
      return { status: 'killed', killedBy: [], nrOfTests: 0, failureMessage: String(error) };
    }
    stryker.activeMutant = activeMutant.id;
    const ids = testFilter && new Set(testFilter);
    const tests = await this.run(
      this.loaded.tests.filter(({ id }) => ids?.has(id) ?? true),
      !disableBail,
    );
    stryker.activeMutant = undefined;
    return toMutantRunResult(
      determineHitLimitReached(stryker.hitCount, hitLimit) ?? { status: 'complete', tests },
    );
  }
}

exports.strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];

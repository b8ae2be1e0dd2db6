// Drives the packed library in Chromium, in a page by itself: as ESM without a bundler, and bundled. Where
// Chromium is not installed, only CI fails.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { doneChunk, finishChunk, textChunk } from '../dist/esm/testing/index.js';
import { checks } from './checks.mjs';
import { gate, limit, pieces, within } from './held-answers.mjs';

/** Runs the checks alone that have this in their names: `npm run check:browser -- offline`. */
const only = process.argv[2];

const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) {
  console.log('Chromium is not installed: no page was checked.');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), `${name}-browser-`));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));

const modules = packLibrary();
const { outputFiles } = await build({
  stdin: {
    contents: readFileSync(join(root, 'spec', 'browser', 'page.mjs'), 'utf8'),
    resolveDir: dirname(modules),
  },
  bundle: true,
  minify: true,
  write: false,
  platform: 'browser',
  format: 'esm',
  logLevel: 'silent',
});

const importMap = {
  imports: {
    rxjs: '/modules/rxjs/dist/esm/index.js',
    tslib: '/modules/tslib/tslib.es6.mjs',
    'eventsource-parser': '/modules/eventsource-parser/dist/index.js',
    [name]: `/modules/${name}/dist/esm/index.js`,
    [`${name}/shared`]: `/modules/${name}/dist/esm/shared/index.js`,
    [`${name}/testing`]: `/modules/${name}/dist/esm/testing/index.js`,
  },
};
const pages = {
  'ESM without a bundler': `<script type="importmap">${JSON.stringify(importMap)}</script>
    <script type="module" src="/page.mjs"></script>`,
  'an esbuild bundle': '<script type="module" src="/bundle.js"></script>',
};

const { check, finish } = checks();
const site = await startSite();
const mock = await startMockProvider({ pace: 0, cors: true });
const { baseUrl } = mock;
const home = join(scratch, 'home');
const browser = await chromium.launch({
  executablePath,
  // prettier-ignore
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
  env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
});
console.log(`Chromium ${browser.version()}`);

for (const [kind, html] of Object.entries(pages)) {
  site.html = html;
  // Its cache spares later pages the loading of hundreds of files.
  const context = await browser.newContext();
  const fact = async (what, run) => {
    const fullName = `${what} (${kind})`;
    if (only === undefined || fullName.includes(only))
      await check(fullName, () => within(inPage(context, run)));
  };

  await fact('the page loads what it needs, and neither cross-fetch nor anything of Node', async () => {
    const paths = site.requests.map((url) => url.replace(/^\/modules\//, ''));
    if (kind === 'an esbuild bundle') {
      assert.deepEqual(paths, ['/', '/bundle.js']);
      assert.doesNotMatch(outputFiles[0].text, /cross-fetch|node-fetch|XMLHttpRequest|require\(/);
      return;
    }
    const [start, script, ...files] = paths;
    assert.deepEqual([start, script], ['/', '/page.mjs']);
    const allowed = new RegExp(
      `^(rxjs/dist/esm/internal/|rxjs/dist/esm/index\\.js$|tslib/tslib\\.es6\\.mjs$|eventsource-parser/dist/index\\.js$|${name}/dist/esm/)`,
    );
    const strangers = files.filter((path) => !allowed.test(path));
    assert.deepEqual(strangers, []);
    assert.deepEqual(
      files.filter((path) => /cross-fetch|no-fetch|\/node\/|mock-provider|\/cli/.test(path)),
      [],
    );
    for (const entry of ['index.js', 'shared/index.js', 'testing/index.js'])
      assert.ok(files.includes(`${name}/dist/esm/${entry}`));
  });

  await fact('the first token is shown while the provider holds the second', async ({ start, page }) => {
    const second = gate();
    mock.enqueue({ content: pieces('Hel', second.opened, 'lo') });
    await start();
    await shows(page, 'text', 'Hel');
    assert.equal(await page.textContent('#end'), '');
    second.open();
    await shows(page, 'end', 'stop');
    assert.equal(await page.textContent('#text'), 'Hello');
  });

  await fact('a stream that is compressed is shown as it comes, too', async ({ start, page }) => {
    const second = gate();
    mock.enqueue({ content: pieces('Hel', second.opened, 'lo'), encoding: 'gzip' });
    await start();
    await shows(page, 'text', 'Hel');
    second.open();
    await shows(page, 'end', 'stop');
    assert.equal(await page.textContent('#text'), 'Hello');
  });

  await fact('characters that are cut between two reads are whole', async ({ start, page }) => {
    const bytes = new TextEncoder().encode(textChunk('Grüße 👋🏽 こんにちは') + finishChunk() + doneChunk());
    const cuts = [...bytes.keys()].filter((at) => bytes[at] >= 0x80);
    assert.ok(cuts.length > 20, `${cuts.length} cuts`);
    let from = 0;
    async function* body() {
      for (const [index, at] of cuts.entries()) {
        yield bytes.subarray(from, at);
        from = at;
        await shows(page, 'reads', String(index + 1));
      }
      yield bytes.subarray(from);
    }
    mock.enqueue({ body: body() });
    await start();
    await shows(page, 'end', 'stop');
    const { texts, reads } = await turnOf(page);
    assert.deepEqual(texts, ['Grüße 👋🏽 こんにちは']);
    assert.ok(reads > cuts.length, `${reads} reads`);
  });

  await fact(
    'unsubscribing aborts at the provider, amid the stream and before the headers',
    async (opened) => {
      const { start, page } = opened;
      for (const answer of [{ content: ['Hel', { wait: Infinity }] }, { delay: Infinity }]) {
        const [left, asked] = [mock.whenAborted(mock.aborted + 1), nextRequest()];
        mock.enqueue(answer);
        await start();
        await asked;
        if (answer.content !== undefined) await shows(page, 'text', 'Hel');
        await page.click('#stop');
        await left;
        assert.equal((await turnOf(page)).end, undefined);
      }
    },
  );

  await fact('break in a for await loop aborts at the provider', async ({ page }) => {
    const left = mock.whenAborted(mock.aborted + 1);
    mock.enqueue({ content: ['Hel', { wait: Infinity }] });
    assert.equal(await page.evaluate((options) => window.firstText(options), { baseUrl }), 'Hel');
    await left;
  });

  await fact('a page that is left or closed aborts at the provider', async ({ start, page }) => {
    for (const leave of [() => page.reload(), () => page.close()]) {
      const left = mock.whenAborted(mock.aborted + 1);
      mock.enqueue({ content: ['Hel', { wait: Infinity }] });
      await start();
      await shows(page, 'text', 'Hel');
      await leave();
      await left;
    }
  });

  await fact('a 429 is sent again after its Retry-After, where the provider exposes it', async (opened) => {
    const { start, page } = opened;
    const before = mock.requests.length;
    mock.enqueue(
      { status: 429, retryAfter: { wait: 1_000 } },
      { status: 429, retryAfter: { wait: 7, as: 'milliseconds' } },
      { status: 429, retryAfter: { wait: 1_000 }, headers: { 'access-control-expose-headers': 'date' } },
      { content: 'Here.' },
    );
    await start({ includeRetries: true, retry: { initialDelay: 0 } });
    await shows(page, 'end', 'stop');
    const { texts, retries } = await turnOf(page);
    assert.deepEqual(texts, ['Here.']);
    assert.deepEqual(
      retries.map(({ error }) => [error.name, error.status, error.retryAfter]),
      [
        ['UnexpectedStatusError', 429, 1_000],
        ['UnexpectedStatusError', 429, 7],
        ['UnexpectedStatusError', 429, undefined],
      ],
    );
    assert.ok(retries[0].delay >= 1_000 && retries[1].delay >= 7, JSON.stringify(retries));
    assert.equal(retries[2].delay, 0);
    assert.equal(mock.requests.length, before + 4);
  });

  await fact('the key and the prompt reach a provider of another origin', async ({ start, page }) => {
    const asked = nextRequest();
    await start();
    const { headers, body } = await asked;
    assert.equal(headers.authorization, 'Bearer sk-of-the-page');
    assert.equal(headers.origin, site.origin);
    assert.deepEqual(body.messages, [{ role: 'user', content: 'Hi' }]);
    await shows(page, 'end', 'stop');
  });

  await fact('an error status of another origin has its code and request id', async ({ start, page }) => {
    mock.enqueue({ status: 401, error: { message: 'No.', code: 'invalid_api_key' } });
    await start();
    await shows(page, 'end', 'UnexpectedStatusError');
    const { error } = (await turnOf(page)).end;
    assert.deepEqual([error.status, error.code], [401, 'invalid_api_key']);
    assert.match(error.requestId, /^req-mock-/);
  });

  await fact(
    'a provider that lets no other origin in, and one that is gone, are a TransportError',
    async (o) => {
      const shut = await startMockProvider();
      const gone = await startMockProvider();
      await gone.close();
      try {
        for (const provider of [shut, gone]) {
          await o.start({ baseUrl: provider.baseUrl, retry: { maxRetries: 0 } });
          await shows(o.page, 'end', 'TransportError');
        }
        assert.equal(shut.requests.length, 0);
      } finally {
        await shut.close();
      }
    },
  );

  await fact('a redirect is refused: nothing is sent to its target', async ({ start, page }) => {
    for (const status of [302, 307, 308]) {
      const before = mock.requests.length;
      mock.enqueue({ status, headers: { location: `${baseUrl}/elsewhere/chat/completions` } });
      await start();
      await shows(page, 'end', 'TransportError');
      const { end, statuses } = await turnOf(page);
      assert.equal(end.error.retryable, false);
      assert.match(end.error.message, /redirect/);
      assert.deepEqual(statuses, []);
      assert.equal(mock.requests.length, before + 1);
    }
  });

  await fact(
    'a connection that is cut is a StreamError, and the next turn works',
    async ({ start, page }) => {
      for (const cut of ['close', 'reset']) {
        const before = mock.requests.length;
        const rest = gate();
        mock.enqueue({ content: pieces('Hel', rest.opened, { cut }) }, { content: 'Again.' });
        await start();
        await shows(page, 'text', 'Hel');
        rest.open();
        await shows(page, 'end', 'StreamError');
        assert.equal(await page.textContent('#text'), 'Hel');
        assert.equal(mock.requests.length, before + 1);
        await start();
        await shows(page, 'end', 'stop');
        assert.equal(await page.textContent('#text'), 'Again.');
      }
    },
  );

  await fact('going offline amid the stream is a StreamError, and back online turns work', async (opened) => {
    const { start, page, context } = opened;
    const left = mock.whenAborted(mock.aborted + 1);
    mock.enqueue({ content: ['Hel', { wait: Infinity }] });
    await start({ breakOffline: true });
    await shows(page, 'text', 'Hel');
    await context.setOffline(true);
    await shows(page, 'end', 'StreamError');
    assert.equal(await page.textContent('#text'), 'Hel');
    await left;
    const before = mock.requests.length;
    await start({ retry: { maxRetries: 1, initialDelay: 0 }, includeRetries: true });
    await shows(page, 'end', 'TransportError');
    assert.equal((await turnOf(page)).retries.length, 1);
    assert.equal(mock.requests.length, before);
    await context.setOffline(false);
    mock.enqueue({ content: 'Again.' });
    await start();
    await shows(page, 'end', 'stop');
    assert.equal(await page.textContent('#text'), 'Again.');
  });

  await fact('a turn that waits to ask again while offline goes on when it is online', async (opened) => {
    const { start, page, context } = opened;
    await context.setOffline(true);
    mock.enqueue({ content: 'Here.' });
    await start({ retry: { maxRetries: 1_000, initialDelay: 20, factor: 1 }, includeRetries: true });
    await page.waitForFunction(() => window.turn.retries.length >= 2);
    await context.setOffline(false);
    await shows(page, 'end', 'stop');
    assert.equal(await page.textContent('#text'), 'Here.');
  });

  await fact(
    'silence is an IdleTimeoutError, no headers a ResponseTimeoutError; both abort',
    async (opened) => {
      const { start, page } = opened;
      for (const [answer, options, error, timeout] of [
        [{ content: ['Hel', { wait: Infinity }] }, { idleTimeout: 200 }, 'IdleTimeoutError', 200],
        [{ delay: Infinity }, { responseTimeout: 200 }, 'ResponseTimeoutError', 200],
      ]) {
        const left = mock.whenAborted(mock.aborted + 1);
        mock.enqueue(answer);
        await start(options);
        await shows(page, 'end', error);
        assert.equal((await turnOf(page)).end.error.timeout, timeout);
        await left;
      }
    },
  );

  await fact('2,000 tokens at full speed all arrive, and leave room for frames', async ({ start, page }) => {
    const words = Array.from({ length: 2_000 }, (_, index) => `w${index} `);
    await page.evaluate(() => window.watchTasks());
    mock.enqueue({ content: words });
    const began = performance.now();
    await start();
    await shows(page, 'end', 'stop');
    const took = Math.round(performance.now() - began);
    const { texts, reads } = await turnOf(page);
    assert.deepEqual(texts, words);
    const { longTasks, frames } = await page.evaluate(() => window.watched);
    const total = Math.round(longTasks.reduce((sum, duration) => sum + duration, 0));
    console.log(
      `      2000 tokens in ${took} ms, ${reads} reads, ${frames} frames; ` +
        `${longTasks.length} tasks over 50 ms, ${total} ms in all`,
    );
    assert.ok(frames > 0);
    assert.ok(Math.max(0, ...longTasks) < 2_000, `a task took ${Math.max(...longTasks)} ms`);
  });

  await fact('a click is answered amid tokens that come without end', async ({ start, page }) => {
    const left = mock.whenAborted(mock.aborted + 1);
    const press = await buttonsOf(page);
    mock.enqueue({ content: [{ repeat: 'word ' }] });
    await start();
    await page.waitForFunction(() => window.turn.texts.length > 2_000);
    await press('look');
    await page.waitForFunction(() => document.getElementById('looked').textContent !== '');
    const looked = Number(await page.textContent('#looked'));
    assert.ok(looked > 2_000, `${looked} tokens`);
    await page.waitForFunction((count) => window.turn.texts.length > count, looked);
    await press('stop');
    await left;
    const { texts, textsAtStop } = await turnOf(page);
    assert.equal(texts.length, textsAtStop);
  });

  await fact('so it is, and timers tick, amid reads that are always ready', async ({ page }) => {
    const press = await buttonsOf(page);
    await page.evaluate(() => window.startAlwaysReady());
    await page.waitForFunction(() => window.ready.ticks > 10 && window.ready.reads > 10_000);
    assert.equal(await page.evaluate(() => window.ready.isOver), false);
    await press('stop');
    await page.waitForFunction(() => window.ready.isOver);
  });

  await fact('the entry for tests scripts, records and replays', async ({ page }) => {
    mock.enqueue({ content: ['Hel', 'lo'] });
    const { cassette, ...texts } = await page.evaluate((options) => window.testing(options), { baseUrl });
    assert.deepEqual(texts, {
      scripted: ['Grüße ', '👋'],
      recorded: ['Hel', 'lo'],
      replayed: ['Hel', 'lo'],
    });
    assert.doesNotMatch(cassette, /sk-of-the-page/);
  });

  await fact('readableStreamFrom is the body of a Response', async ({ page }) => {
    mock.enqueue({ content: ['Grüße ', '👋'] });
    const texts = await page.evaluate((options) => window.throughResponse(options), { baseUrl });
    assert.deepEqual(texts, ['Grüße ', '👋']);
  });

  await fact('a Response whose body is cancelled aborts at the provider', async ({ page }) => {
    const left = mock.whenAborted(mock.aborted + 1);
    mock.enqueue({ content: ['Hel', { wait: Infinity }] });
    const chunk = await page.evaluate((options) => window.firstChunkOfResponse(options), { baseUrl });
    assert.equal(chunk, 'Hel');
    await left;
  });

  await fact('two tabs share a turn: one follows and is closed, the other goes on', async (opened) => {
    const rest = gate();
    const before = mock.requests.length;
    mock.enqueue({ content: pieces('Hel', rest.opened, 'lo') });
    const { page } = opened;
    await share(page, { id: 'a turn' });
    await shows(page, 'text', 'Hel');
    await inTab(context, async ({ page: other }) => {
      await share(other, { id: 'a turn', follow: true });
      await shows(other, 'text', 'Hel');
    });
    rest.open();
    await shows(page, 'end', 'stop');
    assert.equal(await page.textContent('#text'), 'Hello');
    assert.equal(mock.requests.length, before + 1);
    // What is over is read from the copies of other tabs.
    await inTab(context, async ({ page: late }) => {
      await share(late, { id: 'a turn' });
      await shows(late, 'end', 'stop');
      assert.equal(await late.textContent('#text'), 'Hello');
      assert.equal(await late.evaluate(() => window.turn.asked), 0);
    });
    assert.equal(mock.requests.length, before + 1);
  });

  await fact(
    'a tab that runs a turn is closed: another asks anew, and nothing is doubled',
    async (opened) => {
      const { page } = opened;
      const before = mock.requests.length;
      const left = mock.whenAborted(mock.aborted + 1);
      const rest = gate();
      mock.enqueue(
        { content: ['Hel', { wait: Infinity }] },
        { content: pieces('Hello', rest.opened, ' there') },
      );
      // Its silence would be noticed after an hour.
      const turns = { heartbeat: 3_600_000 };
      await inTab(context, async ({ page: first }) => {
        await share(first, { id: 'a turn', turns });
        await shows(first, 'text', 'Hel');
        await share(page, { id: 'a turn', turns });
        await shows(page, 'text', 'Hel');
        assert.equal(mock.requests.length, before + 1);
        await first.close();
      });
      await left;
      await shows(page, 'text', 'Hello');
      rest.open();
      await shows(page, 'end', 'stop');
      const { restarts, asked, text } = await turnOf(page);
      assert.deepEqual([restarts, asked, text], [1, 1, 'Hello there']);
      assert.equal(mock.requests.length, before + 2);
    },
  );

  await fact('tabs that run a turn at once send one request', async (opened) => {
    const before = mock.requests.length;
    await inTab(context, async ({ page: second }) => {
      await inTab(context, async ({ page: third }) => {
        const rest = gate();
        mock.enqueue({ content: pieces('Hel', rest.opened, 'lo') });
        const tabs = [opened.page, second, third];
        await Promise.all(tabs.map((tab) => share(tab, { id: 'a turn' })));
        await Promise.all(tabs.map((tab) => shows(tab, 'text', 'Hel')));
        rest.open();
        await Promise.all(tabs.map((tab) => shows(tab, 'end', 'stop')));
        const texts = await Promise.all(tabs.map((tab) => tab.textContent('#text')));
        assert.deepEqual(texts, ['Hello', 'Hello', 'Hello']);
        const asked = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.turn.asked)));
        assert.deepEqual([...asked].sort(), [0, 0, 1]);
      });
    });
    assert.equal(mock.requests.length, before + 1);
  });

  await fact('a turn is stopped from another tab', async (opened) => {
    const { page } = opened;
    const left = mock.whenAborted(mock.aborted + 1);
    mock.enqueue({ content: ['Hel', { wait: Infinity }] });
    await share(page, { id: 'a turn' });
    await shows(page, 'text', 'Hel');
    await inTab(context, async ({ page: other }) => {
      await other.evaluate((id) => window.stopShared(id), 'a turn');
    });
    await left;
    await shows(page, 'end', 'none');
    assert.equal(await page.textContent('#text'), 'Hel');
  });

  await context.close();
}

finish();
await browser.close();
await Promise.all([mock.close(), site.close()]);

/** The tarball as it is installed, beside what it depends on in a browser: cross-fetch is not there. */
function packLibrary() {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const folder = join(scratch, 'node_modules');
  mkdirSync(join(folder, name), { recursive: true });
  execFileSync('tar', ['-xzf', join(scratch, filename), '-C', join(folder, name), '--strip-components=1']);
  for (const needed of ['rxjs', 'tslib', 'eventsource-parser'])
    symlinkSync(join(root, 'node_modules', needed), join(folder, needed), 'junction');
  return folder;
}

/** The page and its files, on an origin of their own. */
async function startSite() {
  const started = { html: '', requests: [], origin: '' };
  const script = { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'max-age=3600' };
  const server = createServer(({ url }, response) => {
    started.requests.push(url);
    const found = url === '/' ? undefined : scriptAt(url);
    if (url === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      // The icon keeps the browser from asking for one.
      response.end(`<!doctype html><title>Page</title><link rel="icon" href="data:,">
        <button id="stop">Stop</button><button id="look">Look</button><span id="looked"></span>
        <p>Reads: <span id="reads"></span></p><p>End: <span id="end"></span></p>
        <p id="text" style="height: 9em; overflow: hidden"></p>
        ${started.html}`);
    } else if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, script).end(found);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  started.origin = `http://127.0.0.1:${server.address().port}`;
  started.close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return started;
}

function scriptAt(url) {
  if (url === '/bundle.js') return outputFiles[0].contents;
  if (url === '/page.mjs') return readFileSync(join(root, 'spec', 'browser', 'page.mjs'));
  if (!url.startsWith('/modules/')) return undefined;
  // The files of RxJS import one another without extensions.
  const file = join(modules, normalize(url.slice('/modules'.length)));
  return [file, `${file}.js`].filter(existsSync).map((path) => readFileSync(path))[0];
}

/** Runs in a page of its own. No error that the page has not caught passes. */
async function inPage(context, run) {
  try {
    await inTab(context, run);
  } finally {
    await context.setOffline(false);
    await mock.whenIdle();
  }
}

/** The same while a turn may go on in another page. */
async function inTab(context, run) {
  const page = await context.newPage();
  try {
    page.setDefaultTimeout(limit / 2);
    const problems = [];
    const broken = new Promise((_, reject) => {
      page.on('pageerror', (error) => {
        problems.push(String(error));
        reject(error);
      });
    });
    broken.catch(() => {});
    site.requests.length = 0;
    await page.goto(site.origin);
    await Promise.race([page.locator('body[data-ready]').waitFor(), broken]);
    const start = async (options) => {
      // A page that was left is there again when its script has run.
      await page.locator('body[data-ready]').waitFor();
      await page.evaluate((given) => window.startTurn(given), { baseUrl, ...options });
    };
    await run({ page, context, start });
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
  }
}

/**
 * Presses a button where it stands, as a mouse does: Playwright's own click first waits for two frames in a row, and
 * for how long depends on the machine.
 */
async function buttonsOf(page) {
  const places = {};
  for (const id of ['look', 'stop']) places[id] = await page.locator(`#${id}`).boundingBox();
  return (id) => {
    const { x, y, width, height } = places[id];
    return page.mouse.click(x + width / 2, y + height / 2);
  };
}

/** Waits until an element of the page holds exactly this text. */
async function shows(page, id, text) {
  await page
    .waitForFunction(
      ([element, wanted]) => document.getElementById(element).textContent === wanted,
      [id, text],
    )
    .catch(async () => {
      const is = await page.textContent(`#${id}`);
      throw new Error(`The page shows ${JSON.stringify(is)} for ${id}, not ${JSON.stringify(text)}.`);
    });
}

/** Runs or follows a turn that tabs share. */
function share(page, options) {
  return page.evaluate((given) => window.shareTurn(given), { baseUrl, ...options });
}

/** What the page has kept of its turn. */
function turnOf(page) {
  return page.evaluate(() => {
    const { subscription, ...seen } = window.turn;
    return { ...seen, closed: subscription.closed };
  });
}

function nextRequest() {
  return mock.whenRequested(mock.requests.length + 1);
}

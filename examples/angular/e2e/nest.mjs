// Drives the built app in Chromium as the NestJS backend serves it (../nest), with a mock provider behind
// that. Where Chromium is not installed, only CI fails.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { checks } from '../../../scripts/checks.mjs';
import { startBackend } from '../../nest/test/backend.mjs';
import { isNaming } from '../src/demo/answers.mjs';
import { chromiumPath, gate, openChat, pieces, startChromium } from './browser.mjs';

if (chromiumPath === undefined) {
  console.log('Chromium is not installed: the chat was not driven.');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
/** Runs the tests alone that have this in their names: `npm run test:nest -- offline`. */
const only = process.argv[2];
const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const built = { app: path('../dist/browser/index.html'), backend: path('../../nest/dist/main.js') };
for (const file of Object.values(built)) {
  if (existsSync(file)) continue;
  console.error(`${file} is missing: npm run build, here and in ../nest.`);
  process.exit(1);
}

const key = 'sk-the-key-of-the-backend';
const { check, finish } = checks();
const chromium = await startChromium();
const scratch = mkdtempSync(join(tmpdir(), 'chat-nest-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const screenshots = path('screenshots/');
mkdirSync(screenshots, { recursive: true });

const textIs = (locator, text) => locator.filter({ hasText: new RegExp(`^\\s*${text}\\s*$`) }).waitFor();
const button = (page, name) => page.getByRole('button', { name, exact: true });

for (const connection of ['fetch', 'http-client', 'backend']) {
  const provider = await startMockProvider({
    pace: 0,
    answers: ({ body }) => (isNaming(body) ? { content: 'A name for it' } : queue.shift()),
  });
  const queue = [];
  const backend = await startBackend('dist/main.js', {
    OPENAI_API_KEY: key,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_REQUEST_MAX_RETRIES: '1',
    CHAT_MODELS: 'mock',
    APP_DIR: appWith(connection),
  });
  const wire = await startWire(new URL(backend.origin).port);
  const asked = () => provider.requests.filter(({ body }) => !isNaming(body));

  /** A named test with a page of its own, and the answers of the provider to its questions. */
  const test = (name, answers, run, options = {}) =>
    (only === undefined || `${name} (${connection})`.includes(only)) &&
    check(`${name} (${connection})`, async () => {
      queue.splice(0, Infinity, ...answers);
      const left = provider.aborted;
      const before = asked().length;
      const chat = await openChat(chromium.browser, { address: () => `${wire.origin}/` }, options);
      try {
        await run({
          ...chat,
          /** Settles when the provider has seen so many of this test's connections closed. */
          whenLeft: (count = 1) => provider.whenAborted(left + count),
          asked: () => asked().slice(before),
          shot: (state) =>
            chat.page.screenshot({ path: join(screenshots, `nest-${connection}-${state}.png`) }),
        });
        assert.deepEqual(chat.problems, []);
        assert.equal(chat.provider.requests.length, 0);
      } finally {
        await chat.close();
        await provider.whenIdle();
      }
    });

  const rest = gate();
  await test(
    'the first words are shown while the provider holds the others',
    [{ content: pieces('Grüße ', rest.opened, 'und mehr') }],
    async ({ page, ask, answers, shot }) => {
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Grüße');
      assert.equal(await page.locator('article').getAttribute('aria-busy'), 'true');
      await shot('streaming');
      rest.open();
      await textIs(answers.locator('p').first(), 'Grüße und mehr');
      await button(page, 'Regenerate').waitFor();
      assert.equal(asked().at(-1).headers.authorization, `Bearer ${key}`);
      await shot('answered');
    },
  );

  await test(
    'stopping closes the connection to the provider, and another answer may be asked for',
    [{ content: ['Hel', { wait: Infinity }] }, { content: 'Again.' }],
    async ({ page, ask, answers, whenLeft, shot }) => {
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Hel');
      await button(page, 'Stop').click();
      await whenLeft();
      await page.getByText('You stopped this answer.').waitFor();
      await shot('stopped');
      await button(page, 'Regenerate').click();
      await textIs(answers.locator('p').first(), 'Again\\.');
    },
  );

  await test(
    'stopping before the first word closes the connection to the provider',
    [{ delay: Infinity }],
    async ({ page, ask, whenLeft }) => {
      const arrived = provider.whenRequested(provider.requests.length + 1);
      await ask('Hi');
      await arrived;
      await button(page, 'Stop').click();
      await whenLeft();
    },
  );

  await test(
    'closing the tab closes the connection to the provider',
    [{ content: ['Hel', { wait: Infinity }] }],
    async ({ page, ask, answers, whenLeft }) => {
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Hel');
      await page.close();
      await whenLeft();
    },
  );

  await test(
    'leaving the page closes the connection to the provider',
    [{ content: ['Hel', { wait: Infinity }] }],
    async ({ page, ask, answers, whenLeft }) => {
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Hel');
      await page.goto('about:blank');
      await whenLeft();
    },
  );

  const cut = gate();
  await test(
    'a provider that breaks off is an error that keeps the text, and it can be asked again',
    [{ content: pieces('Half an ', cut.opened, { cut: 'reset' }) }, { content: 'A whole answer.' }],
    async ({ page, ask, answers, shot }) => {
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Half an');
      cut.open();
      await button(page, 'Try again').waitFor();
      assert.match(await answers.innerText(), /^Half an\s/);
      await shot('error');
      await button(page, 'Try again').click();
      await textIs(answers.locator('p').first(), 'A whole answer\\.');
    },
  );

  for (const [what, lose, recover] of [
    ['a connection to the backend that is cut', () => wire.cut(), () => {}],
    ['going offline', (context) => context.setOffline(true), (context) => context.setOffline(false)],
  ]) {
    await test(
      `${what} is an error that keeps the text, closes the connection to the provider, and is recovered from`,
      [{ content: ['Half an ', { wait: Infinity }] }, { content: 'A whole answer.' }],
      async ({ page, context, ask, answers, whenLeft }) => {
        await ask('Hi');
        await textIs(answers.locator('p').first(), 'Half an');
        await lose(context);
        await page.getByText('The connection broke').first().waitFor();
        assert.match(await answers.innerText(), /^Half an\s/);
        await whenLeft();
        await recover(context);
        await button(page, 'Try again').click();
        await textIs(answers.locator('p').first(), 'A whole answer\\.');
      },
    );
  }

  await test(
    'the backend asks a busy provider again, and the page sees the answer alone',
    [{ status: 429, retryAfter: { wait: 10, as: 'milliseconds' } }, { content: 'Here.' }],
    async ({ page, ask, answers, asked: ofThis }) => {
      const posts = [];
      page.on('request', (request) => request.method() === 'POST' && posts.push(request.postData()));
      await ask('Hi');
      await textIs(answers.locator('p').first(), 'Here\\.');
      assert.equal(ofThis().length, 2);
      assert.equal(posts.filter((post) => !post.includes('Name this conversation')).length, 1);
    },
  );

  await test(
    'the page runs the tool that the model calls',
    [
      { content: [{ toolCall: { name: 'local_time', arguments: { time_zone: 'Asia/Tokyo' } } }] },
      { content: 'It is late.' },
    ],
    async ({ ask, answers, asked: ofThis }) => {
      await ask('What time is it in Tokyo?');
      await answers.getByText('It is late.').waitFor();
      const [, second] = ofThis();
      assert.match(second.body.messages.at(-1).content, /\d{4}\D.*\d\d:\d\d/);
    },
  );

  await test(
    'what a provider says of the key is told to nobody',
    [{ status: 401, error: { message: `Incorrect API key provided: ${key}.`, code: 'invalid_api_key' } }],
    async ({ page, ask, asked: ofThis }) => {
      await ask('Hi');
      await button(page, 'Try again').waitFor();
      assert.equal(ofThis()[0].headers.authorization, `Bearer ${key}`);
      assert.doesNotMatch(await page.content(), /sk-|Incorrect API key/);
    },
  );

  if (only === undefined)
    await check(`nothing that the browser received, and no log, holds the key (${connection})`, () => {
      assert.match(wire.received(), /HTTP\/1\.1 200 OK/);
      assert.match(wire.received(), /whole/);
      for (const text of [wire.received(), backend.printed]) assert.ok(!text.includes(key));
    });

  await wire.close();
  await backend.stop();
  await provider.close();
}

await chromium.close();
finish();

/** The folder of the app as it is served, its settings written into the page. */
function appWith(connection) {
  const folder = join(scratch, connection);
  cpSync(path('../dist/browser'), folder, { recursive: true });
  const page = join(folder, 'index.html');
  const html = readFileSync(page, 'utf8');
  const meta = '<meta name="chat-connection" content="fetch"';
  assert.ok(html.includes(meta));
  writeFileSync(page, html.replace(meta, meta.replace('fetch', connection)));
  return folder;
}

/** Stands between the browser and the backend, keeps what the browser is sent, and can be cut. */
async function startWire(port) {
  const sockets = new Set();
  const received = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    far.on('data', (bytes) => received.push(bytes));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    received: () => Buffer.concat(received).toString('utf8'),
    cut: cutAll,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        cutAll();
      }),
  };
}

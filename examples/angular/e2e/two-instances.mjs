// Drives the built app in Chromium behind two instances of the NestJS backend (../nest) that share one Redis, with nginx
// in front of them and a mock provider behind. Where one of the programs is not installed, only CI fails.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { checks } from '../../../scripts/checks.mjs';
import { within } from '../../../scripts/held-answers.mjs';
import { nginxVersion, startNginx } from '../../../scripts/nginx.mjs';
import { startBackend } from '../../nest/test/backend.mjs';
import { hasRedis, startRedis } from '../../nest/test/redis.mjs';
import { isNaming } from '../src/demo/answers.mjs';
import { chromiumPath, eventually, gate, openChat, pieces, startChromium } from './browser.mjs';

const programs = { Chromium: chromiumPath, nginx: nginxVersion(), 'redis-server': hasRedis || undefined };
const missing = Object.keys(programs).filter((name) => programs[name] === undefined);
if (missing.length > 0) {
  console.log(`${missing.join(' and ')} not installed: the chat was not driven.`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const path = (file) => fileURLToPath(new URL(file, import.meta.url));
for (const file of [path('../dist/browser/index.html'), path('../../nest/dist/main.js')]) {
  if (existsSync(file)) continue;
  console.error(`${file} is missing: npm run build, here and in ../nest.`);
  process.exit(1);
}

const { check, finish } = checks();
const scratch = mkdtempSync(join(tmpdir(), 'chat-shared-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const chromium = await startChromium();
const redis = await startRedis();
const queue = [];
const provider = await startMockProvider({
  pace: 0,
  answers: ({ body }) => (isNaming(body) ? { content: 'A name for it' } : queue.shift()),
});
const appDir = appWith('shared');

const button = (page, name) => page.getByRole('button', { name, exact: true });

/**
 * A named test with two instances, nginx and a page of its own. The page is served by instance A until the test says
 * otherwise, and by whichever is left where one has crashed; `/stop` goes to instance B.
 */
const test = (name, answers, run) =>
  check(name, async () => {
    queue.splice(0, Infinity, ...answers);
    const before = asked().length;
    const aborted = provider.aborted;
    const [a, b] = await Promise.all([startInstance(), startInstance()]);
    const folder = mkdtempSync(join(scratch, 'nginx-'));
    const nginx = await startNginx(folder, balancer(folder, a, b));
    const chat = await openChat(chromium.browser, { address: () => `${nginx.origin}/` });
    try {
      const served = () => {
        const names = { [new URL(a.origin).host]: 'A', [new URL(b.origin).host]: 'B' };
        const lines = readFileSync(join(folder, 'access.log'), 'utf8').trim().split('\n');
        return lines
          .map((line) => line.split(' '))
          .filter(([, uri]) => uri.startsWith('/api/chats/'))
          .map(([method, uri, ...upstreams]) => {
            const route = uri.endsWith('/stop') ? 'stop' : 'turn';
            return `${method} ${route} ${upstreams.map((one) => names[one.replace(',', '')]).join('')}`;
          });
      };
      await within(
        run({
          ...chat,
          a,
          /** The text of the last answer is this, and nothing else. */
          textIs: async (text) => {
            const said = chat.answers.last().locator('.markdown p');
            await said.filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
            assert.deepEqual(await said.allTextContents(), [text]);
          },
          asked: () => asked().length - before,
          whenAborted: () => provider.whenAborted(aborted + 1),
          /** From now on, instance B serves the page. */
          serveByB: () => chat.context.setExtraHTTPHeaders({ 'x-served-by': 'b' }),
          served,
        }),
      );
      assert.deepEqual(chat.problems, []);
    } finally {
      await chat.close();
      nginx.process.kill();
      await Promise.all([a.stop(), b.stop()]);
      await provider.whenIdle();
    }
  });

const whole = 'Half an answer, and the other half';

const rest = gate();
await test(
  'a page that is reloaded on the other instance goes on, with one request to the provider',
  [{ content: pieces('Half an', ' answer', rest.opened, ', and', ' the other half') }],
  async ({ page, ask, answers, textIs, asked: count, serveByB, served }) => {
    await ask('Hi');
    await textIs('Half an answer');
    await serveByB();
    await page.reload();
    await textIs('Half an answer');
    rest.open();
    await textIs(whole);
    await button(page, 'Regenerate').waitFor();
    assert.equal(await answers.count(), 1);
    assert.equal(count(), 1);
    // Once it is over, a reload shows it, and asks nobody.
    await page.reload();
    await textIs(whole);
    assert.equal(count(), 1);
    // nginx notes a request when it is over.
    await eventually(() => served().sort(), ['POST turn A', 'POST turn B']);
  },
);

await test(
  'the stop button is heard by the other instance, and aborts the turn at the provider',
  [{ content: ['Half an', ' answer', { wait: Infinity }] }, { content: 'Another' }],
  async ({ page, ask, textIs, asked: count, whenAborted, served }) => {
    await ask('Hi');
    await textIs('Half an answer');
    await button(page, 'Stop').click();
    await whenAborted();
    await page.getByText('You stopped this answer.').waitFor();
    await textIs('Half an answer');
    await page.reload();
    await page.getByText('You stopped this answer.').waitFor();
    await textIs('Half an answer');
    assert.equal(count(), 1);
    // nginx notes a request when it is over.
    await eventually(() => served().sort(), ['POST stop B', 'POST turn A']);
    await ask('And now?');
    await textIs('Another');
  },
);

await test(
  'a page that is reloaded after its instance has crashed goes on, on the other; and is stopped there',
  [
    { content: ['Half an', ' answer', { wait: Infinity }] },
    { content: ['Half an', ' answer, and', ' the other half'] },
    { content: ['Half of', ' another', { wait: Infinity }] },
  ],
  async ({ page, ask, answers, a, textIs, asked: count, whenAborted }) => {
    await ask('Hi');
    await textIs('Half an answer');
    const gone = whenAborted();
    await a.crash();
    await gone;
    await page.reload();
    await textIs('Half an answer');
    await textIs(whole);
    await button(page, 'Regenerate').waitFor();
    assert.equal(await answers.count(), 1);
    assert.equal(count(), 2);
    const { aborted } = provider;
    await ask('And now?');
    await textIs('Half of another');
    await button(page, 'Stop').click();
    await provider.whenAborted(aborted + 1);
    await page.getByText('You stopped this answer.').waitFor();
    await answers.first().getByText(whole, { exact: true }).waitFor();
    assert.equal(count(), 3);
  },
);

await test(
  'a page whose instance crashes goes on without a reload',
  [
    { content: ['Half an', ' answer', { wait: Infinity }] },
    { content: ['Half an', ' answer, and', ' the other half'] },
  ],
  async ({ page, ask, answers, a, textIs, asked: count }) => {
    await ask('Hi');
    await textIs('Half an answer');
    await a.crash();
    await textIs(whole);
    await button(page, 'Regenerate').waitFor();
    assert.equal(await answers.count(), 1);
    assert.equal(count(), 2);
  },
);

await test(
  'a page that is reloaded while a tool waits for approval asks again, and goes on with the decision',
  [
    { content: [{ toolCall: { name: 'change_theme', arguments: { theme: 'dark' } } }] },
    { content: 'It is dark.' },
  ],
  async ({ page, ask, textIs, asked: count, serveByB }) => {
    await ask('Make it dark');
    await button(page, 'Allow').waitFor();
    await serveByB();
    await page.reload();
    await button(page, 'Allow').click();
    await textIs('It is dark.');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    assert.equal(count(), 2);
  },
);

await test(
  'a new chat stops the turn at the provider, and a reload does not bring it back',
  [{ content: ['Half an', ' answer', { wait: Infinity }] }],
  async ({ page, ask, textIs, whenAborted }) => {
    await ask('Hi');
    await textIs('Half an answer');
    await button(page, 'New chat').click();
    await whenAborted();
    await page.reload();
    await page.getByText('What would you like to know?').waitFor();
    assert.equal(await page.locator('article').count(), 0);
  },
);

await chromium.close();
await provider.close();
await redis.close();
finish();

/** The requests of questions: without those for a name. */
function asked() {
  return provider.requests.filter(({ body }) => !isNaming(body));
}

function startInstance() {
  return startBackend('dist/main.js', {
    OPENAI_API_KEY: 'sk-the-key-of-the-backend',
    OPENAI_BASE_URL: provider.baseUrl,
    CHAT_MODELS: 'mock',
    REDIS_URL: redis.url,
    APP_DIR: appDir,
  });
}

/** Each instance is the other's backup: which of them a request comes to is decided, and a crash goes by unnoticed. */
function balancer(folder, a, b) {
  const [hostA, hostB] = [a, b].map(({ origin }) => new URL(origin).host);
  const pool = (name, first, second) =>
    `upstream ${name} { server ${first} max_fails=0; server ${second} backup; }`;
  return (port) => `
    log_format upstreams '$request_method $uri $upstream_addr';
    access_log ${folder}/access.log upstreams;
    ${pool('a_first', hostA, hostB)}
    ${pool('b_first', hostB, hostA)}
    map $http_x_served_by $pool { default a_first; b b_first; }
    server {
      listen 127.0.0.1:${port};
      proxy_http_version 1.1;
      location / { proxy_pass http://$pool; }
      location ~ /stop$ { proxy_pass http://b_first; }
    }`;
}

/** The folder of the app as it is served, its settings written into the page. */
function appWith(connection) {
  const folder = join(scratch, 'app');
  cpSync(path('../dist/browser'), folder, { recursive: true });
  const page = join(folder, 'index.html');
  const html = readFileSync(page, 'utf8');
  const meta = '<meta name="chat-connection" content="fetch"';
  assert.ok(html.includes(meta));
  writeFileSync(page, html.replace(meta, meta.replace('fetch', connection)));
  return folder;
}

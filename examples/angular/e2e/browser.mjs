// Chromium, and a page of the app with a mock provider of its own.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { isNaming } from '../src/demo/answers.mjs';

export { gate, pieces } from '../../../scripts/held-answers.mjs';

const candidates = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The installed Chromium; `undefined` where there is none. */
export const chromiumPath = candidates.find((path) => path !== undefined && existsSync(path));

export async function startChromium() {
  const profile = mkdtempSync(join(tmpdir(), 'chat-e2e-'));
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    // prettier-ignore
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Reads until what is read is what is expected: for what may come a frame or a message later. */
export async function eventually(read, expected) {
  for (const end = performance.now() + 20_000; ; await sleep(25)) {
    const value = await read();
    try {
      assert.deepEqual(value, expected);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Until what has happened is drawn. For what must not happen: before that it may only not have happened yet. */
export const drawn = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

const oneName = () => ({ content: 'A name for it' });

/**
 * A page of the app in a context of its own.
 *
 * @param answers - of the questions, in turn, or functions of the request; `name` answers what is asked for
 * the conversation's name
 */
export async function openChat(
  browser,
  server,
  { answers = [], settings = {}, context = {}, pace = 0, prepare, name = oneName } = {},
) {
  const queue = [...answers];
  const provider = await startMockProvider({
    cors: true,
    pace,
    answers(request) {
      if (isNaming(request.body)) return name(request);
      const answer = queue.shift();
      return typeof answer === 'function' ? answer(request) : answer;
    },
  });
  const browserContext = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...context });
  const page = await browserContext.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  // What a policy refuses is reported as an error of the console. Failed requests are what tests ask for.
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
      problems.push(message.text());
  });
  await prepare?.(page);
  await page.goto(
    server.address({ 'chat-base-url': provider.baseUrl, 'chat-mark-renders': '', ...settings }),
  );
  const question = page.getByRole('textbox', { name: 'Your question' });
  await question.waitFor();
  return {
    page,
    context: browserContext,
    provider,
    problems,
    question,
    answers: page.locator('.answer'),
    /** The requests of questions: without the one for a name. */
    asked: () => provider.requests.filter(({ body }) => !isNaming(body)),
    async ask(text) {
      await question.fill(text);
      await question.press('Enter');
    },
    async close() {
      await browserContext.close();
      await provider.close();
    },
  };
}

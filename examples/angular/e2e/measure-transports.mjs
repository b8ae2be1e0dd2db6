// What an answer of 2,000 tokens costs over each transport: the app itself, driven at full speed.
import { startChromium, openChat, chromiumPath } from './browser.mjs';
import { startStaticServer } from './static-server.mjs';

const tokens = Number(process.argv[2] ?? 2_000);
const rounds = 5;

if (chromiumPath === undefined) throw new Error('Chromium is not installed.');
const server = await startStaticServer();
const chromium = await startChromium();
console.log(`${tokens} tokens, median of ${rounds} rounds after one for warming up`);
for (const connection of ['fetch', 'http-client']) {
  const runs = [];
  for (let round = 0; round <= rounds; round += 1) runs.push(await run(connection));
  const of = (name) => median(runs.slice(1).map((one) => one[name]));
  console.log(
    `${connection.padEnd(16)} first token ${of('first').toFixed(0)} ms, turn ${of('whole').toFixed(0)} ms, ` +
      `script ${of('script').toFixed(0)} ms, renders ${of('renders')}, tasks over 50 ms ${of('longTasks')}, ` +
      `heap while it ends ${(of('heap') / 1e6).toFixed(1)} MB`,
  );
}
await chromium.close();
await server.close();

async function run(connection) {
  const content = Array.from({ length: tokens }, (_, index) => `w${index} `);
  const chat = await openChat(chromium.browser, server, {
    answers: [{ content, endDelay: 1_000 }],
    settings: { 'chat-connection': connection },
  });
  const { page, context } = chat;
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  await page.evaluate(() => {
    performance.clearMarks();
    window.seen = { longTasks: 0 };
    new PerformanceObserver((list) => (window.seen.longTasks += list.getEntries().length)).observe({
      type: 'longtask',
    });
    const watch = () => {
      const text = document.querySelector('.answer .markdown')?.textContent ?? '';
      if (text !== '') window.seen.first ??= performance.now();
      if (document.querySelector('.answer footer') !== null) window.seen.whole ??= performance.now();
    };
    new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
    addEventListener(
      'keydown',
      ({ key }) => key === 'Enter' && (window.seen.asked ??= performance.now()),
      true,
    );
  });
  const before = await metrics(devtools);
  await chat.ask('Count');
  await page.getByRole('button', { name: 'Regenerate' }).waitFor();
  const after = await metrics(devtools);
  const { asked, first, whole, longTasks, renders } = await page.evaluate(() => ({
    ...window.seen,
    renders: performance.getEntriesByName('chat: render').length,
  }));
  await chat.close();
  return {
    first: first - asked,
    whole: whole - asked,
    script: (after.ScriptDuration - before.ScriptDuration) * 1_000,
    heap: after.JSHeapUsedSize,
    longTasks,
    renders,
  };
}

async function metrics(devtools) {
  const { metrics: values } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

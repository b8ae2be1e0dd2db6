// Turns that outlive their requests: one instance without Redis, and two with one. Where redis-server is not installed,
// only CI fails.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { gate, pieces } from '../../../scripts/held-answers.mjs';
import { exchange, open, readUntil, startBackend } from './backend.mjs';
import { hasRedis, startRedis } from './redis.mjs';

if (!hasRedis) console.log('redis-server is not installed: shared turns were tested in one instance alone.');

const body = { prompt: 'Why is the sky blue?' };
const textOf = (stream) =>
  [...stream.matchAll(/^data: (\{.*\})$/gm)]
    .map(([, data]) => JSON.parse(data).item?.content[0].text ?? '')
    .join('');
const idsOf = (stream) => [...stream.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
const typesOf = (stream) =>
  [...stream.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data).type);

for (const store of ['memory', ...(hasRedis || process.env.CI === 'true' ? ['Redis'] : [])]) {
  describe(`shared turns in ${store}`, { timeout: 120_000 }, () => {
    let mock;
    let redis;
    let instances = [];
    /** The instance that runs the turns, and another: the same one where there is no Redis. */
    const here = () => instances[0].origin;
    const there = () => instances.at(-1).origin;

    before(async () => {
      mock = await startMockProvider({ pace: 0 });
      redis = store === 'Redis' ? await startRedis() : undefined;
      const env = {
        OPENAI_API_KEY: 'sk-the-key-of-the-backend',
        OPENAI_BASE_URL: mock.baseUrl,
        CHAT_MODELS: 'mock',
        ...(redis && { REDIS_URL: redis.url }),
      };
      const starting = Array.from({ length: redis === undefined ? 1 : 2 }, () =>
        startBackend('dist/main.js', env),
      );
      instances = await Promise.all(starting);
    });

    after(async () => {
      await Promise.all(instances.map((instance) => instance.stop()));
      await redis?.close();
      await mock?.close();
    });

    const newChat = () => `/api/chats/${randomUUID()}`;
    const get = (url, options) => exchange(url, { method: 'GET', ...options });

    it('goes on where its client leaves, and is followed from the last event on', async () => {
      const chat = newChat();
      const rest = gate();
      const before = mock.requests.length;
      mock.enqueue({ content: pieces('The sky', ' is', rest.opened, ' blue.') });
      const { outgoing, answer } = open(`${here()}${chat}`, { body });
      const half = await readUntil(await answer, ' is');
      outgoing.destroy();
      const whole = open(`${there()}${chat}`, { method: 'GET' });
      assert.match(await readUntil(await whole.answer, ' is'), /^id: 1-\d+$/m);
      const last = idsOf(half).at(-1);
      const resumed = open(`${there()}${chat}`, { method: 'GET', headers: { 'last-event-id': last } });
      rest.open();
      const others = await readUntil(await resumed.answer, '[DONE]');
      assert.equal(textOf(half) + textOf(others), 'The sky is blue.');
      assert.deepEqual(typesOf(others), ['output_item_done', 'completed']);
      assert.equal(mock.requests.length, before + 1);
      assert.equal(textOf((await get(`${there()}${chat}`)).text), 'The sky is blue.');
      // Whoever has it all is told that it is over.
      const over = await get(`${here()}${chat}`, { headers: { 'last-event-id': idsOf(others).at(-1) } });
      assert.equal(over.text, 'data: [DONE]\n\n');
      outgoing.destroy();
      whole.outgoing.destroy();
    });

    it('is asked of the provider once, however often it is asked for', async () => {
      const chat = newChat();
      const before = mock.requests.length;
      mock.enqueue({ content: 'Once.' });
      const first = await exchange(`${here()}${chat}`, { body });
      const second = await exchange(`${there()}${chat}`, { body: { prompt: 'Something else' } });
      assert.deepEqual([textOf(first.text), textOf(second.text)], ['Once.', 'Once.']);
      assert.equal(mock.requests.length, before + 1);
    });

    it('is stopped at the provider from anywhere', async () => {
      const chat = newChat();
      const aborted = mock.aborted;
      mock.enqueue({ content: ['Hel', { wait: Infinity }] });
      const { answer } = open(`${here()}${chat}`, { body });
      const response = await answer;
      await readUntil(response, 'Hel');
      const stopped = await exchange(`${there()}${chat}/stop`, { body: {} });
      assert.equal(stopped.status, 204);
      await mock.whenAborted(aborted + 1);
      assert.match(await readUntil(response, '[DONE]'), /"stopped":true/);
      assert.equal((await exchange(`${there()}${chat}/stop`, { body: {} })).status, 204);
    });

    it('has a status where it fails before its first byte', async () => {
      const error = { message: 'No.', code: 'invalid_api_key' };
      mock.enqueue({ status: 401, error });
      const chat = newChat();
      assert.equal((await exchange(`${here()}${chat}`, { body })).status, 502);
      assert.equal((await get(`${there()}${chat}`)).status, 502);
    });

    it('shows nothing of an id that nobody has, or could have', async () => {
      assert.equal((await get(`${there()}${newChat()}`)).status, 404);
      assert.equal((await exchange(`${there()}${newChat()}/stop`, { body: {} })).status, 404);
      for (const id of ['1', 'x'.repeat(5_000), randomUUID().replace('-', ''), '%00', '%7Bturn%7D']) {
        assert.equal((await get(`${there()}/api/chats/${id}`)).status, 400, id);
        assert.equal((await exchange(`${there()}/api/chats/${id}/stop`, { body: {} })).status, 400, id);
        assert.equal((await exchange(`${there()}/api/chats/${id}`, { body })).status, 400, id);
      }
    });

    it('begins from the start for a Last-Event-ID that is none', async () => {
      const chat = newChat();
      mock.enqueue({ content: ['The sky', ' is blue.'] });
      await exchange(`${here()}${chat}`, { body });
      for (const id of ['', 'x', '1', '-1-1', '1-1-1', '9'.repeat(500)]) {
        const { text } = await get(`${there()}${chat}`, { headers: { 'last-event-id': id } });
        assert.equal(textOf(text), 'The sky is blue.', id);
      }
    });

    if (store === 'memory') return;

    it('is taken over, and taken back first, where the instance that runs it has crashed', async () => {
      const chat = newChat();
      const before = mock.requests.length;
      mock.enqueue({ content: ['The s', { wait: Infinity }] }, { content: ['The sky', ' is blue.'] });
      const { answer } = open(`${here()}${chat}`, { body });
      const half = await readUntil(await answer, 'The s');
      await instances.shift().crash();
      const headers = { 'last-event-id': idsOf(half).at(-1) };
      const { text } = await exchange(`${there()}${chat}`, { body, headers });
      const [first, ...others] = typesOf(text);
      assert.equal(first, 'restarting');
      assert.equal(others.at(-1), 'completed');
      assert.equal(textOf(text), 'The sky is blue.');
      assert.equal(mock.requests.length, before + 2);
    });
  });
}

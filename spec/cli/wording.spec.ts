import { nameless } from '../../src/cli/configuration.js';
import { duration, explain, summary } from '../../src/cli/wording.js';
import { TransportError, UnexpectedContentError, withProvider } from '../../src/turn/errors.js';

it.each([
  [0, '0 ms'],
  [199.6, '200 ms'],
  [1_000, '1 s'],
  [1_449, '1.4 s'],
  [12_600, '13 s'],
])('%d milliseconds are told as %s', (milliseconds, words) => {
  expect(duration(milliseconds)).toBe(words);
});

it('tells what of the usage came from the cache and what went into reasoning', () => {
  const usage = {
    inputTokens: 10,
    cachedInputTokens: 4,
    outputTokens: 7,
    reasoningOutputTokens: 5,
    totalTokens: 17,
  };
  const completed = { type: 'completed', responseId: '', finishReason: 'tool_calls', usage } as const;
  expect(summary(completed, 200)).toBe(
    '10 tokens in (4 cached), 7 out (5 reasoning), 200 ms, finish reason tool_calls',
  );
});

it('tells of calls that were cut off', () => {
  const completed = { type: 'completed', responseId: '', finishReason: 'stop', usage: null } as const;
  expect(summary({ ...completed, incompleteCalls: 1 }, 200)).toBe('200 ms, 1 tool call was cut off');
  expect(summary({ ...completed, incompleteCalls: 2 }, 200)).toBe('200 ms, 2 tool calls were cut off');
});

it.each([
  ['ollama', 'Could not reach "ollama" at http://localhost:11434 (ECONNREFUSED). Is it running?'],
  [nameless, 'Could not reach http://localhost:11434 (ECONNREFUSED). Is it running?'],
])('names the provider that could not be reached: %s', (name, sentence) => {
  const error = new TransportError({ cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
  withProvider(error, `"${name}" at http://localhost:11434`);
  expect(explain(error, { name })).toBe(sentence);
});

it('explains what is no error, and shortens what the provider said', () => {
  expect(explain('odd')).toBe('odd');
  const snippet = 'word '.repeat(40);
  const error = new UnexpectedContentError({ status: 200, contentType: '', snippet });
  expect(explain(error)).toBe(`${error.message} It said: ${snippet.trim()}`);
});

import { openCalls } from '../../src/run/open-calls.js';
import { assistantMessage, userMessage } from '../../src/prompt/prompt.js';
import type { InputItem } from '../../src/prompt/prompt.js';
import { call, outputOf } from '../support/runs.js';

const [a, b] = [call('a'), call('b')];
const custom = { type: 'custom_tool_call', call_id: 'x', name: 'shell', input: 'ls' } as const;
const question = userMessage('Hi');

describe('openCalls', () => {
  it.each<[string, readonly InputItem[], readonly unknown[]]>([
    ['nothing', [], []],
    ['a question', [question], []],
    ['calls at the end', [question, a, b], [a, b]],
    ['calls of custom tools', [question, custom], [custom]],
    ['a call among those that have outputs', [question, a, b, outputOf('a', '1')], [b]],
    [
      'calls with outputs',
      [question, a, custom, outputOf('a', '1'), { ...outputOf('x', ''), type: 'custom_tool_call_output' }],
      [],
    ],
    ['calls before what the assistant said', [question, a, assistantMessage('One moment.')], [a]],
    ['calls that a later question has left behind', [question, a, userMessage('Never mind.')], []],
    ['calls that a question in short form has left behind', [a, { role: 'user', content: 'Hi' }], []],
    [
      'a call whose id an earlier one had',
      [question, a, outputOf('a', '1'), { ...a, name: 'again' }],
      [{ ...a, name: 'again' }],
    ],
    [
      'two calls of one id, as a request has them',
      [question, a, { ...a, name: 'again' }],
      [{ ...a, name: 'again' }],
    ],
  ])('of %s', (_, input, open) => {
    expect(openCalls(input)).toEqual(open);
  });
});

import { TransportError } from '../../src/turn/errors.js';
import type { MessageItem, ResponseEvent } from '../../src/turn/events.js';
import { isTextDelta } from '../../src/turn/is-text-delta.js';
import { assistantMessage } from '../../src/prompt/prompt.js';
import { completed, text } from '../support/events.js';

const item = (role: MessageItem['role'], ...content: MessageItem['content']): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role, content },
});

describe('isTextDelta', () => {
  it.each<[boolean, string, ResponseEvent]>([
    [true, 'text of the assistant', text('Hi')],
    [
      true,
      'text before other parts',
      item('assistant', ...assistantMessage('Hi').content, { type: 'input_text', text: '' }),
    ],
    [false, 'text of the user', item('user', { type: 'output_text', text: 'Hi' })],
    [false, 'a message without parts', item('assistant')],
    [
      false,
      'a first part that was given to the model',
      item('assistant', { type: 'input_text', text: 'Hi' }),
    ],
    [false, 'completed', completed()],
    [false, 'retrying', { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() }],
  ])('is %s for %s', (expected, _, event) => {
    expect(isTextDelta(event)).toBe(expected);
  });
});

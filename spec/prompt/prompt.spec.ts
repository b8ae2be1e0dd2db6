import { assistantMessage, userMessage } from '../../src/prompt/prompt.js';

describe('userMessage', () => {
  it('is an item as the Responses API writes it', () => {
    expect(userMessage('Hi')).toStrictEqual({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'Hi' }],
    });
  });
});

describe('assistantMessage', () => {
  it('is an item as the Responses API writes it', () => {
    expect(assistantMessage('Hello')).toStrictEqual({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello' }],
    });
  });
});

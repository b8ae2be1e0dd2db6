import { assistantMessage, functionCallOutput, userMessage } from '../../src/prompt/prompt.js';

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

describe('functionCallOutput', () => {
  it('is an item as the Responses API writes it, of text or of parts', () => {
    expect(functionCallOutput('1', '4')).toStrictEqual({
      type: 'function_call_output',
      call_id: '1',
      output: '4',
    });
    expect(functionCallOutput('1', [{ type: 'input_text', text: '4' }])).toStrictEqual({
      type: 'function_call_output',
      call_id: '1',
      output: [{ type: 'input_text', text: '4' }],
    });
  });
});

import { inputMessages, outputMessages } from '../../src/otel/messages.js';
import { emptyTurn } from '../../src/turn/turn.js';

describe('inputMessages', () => {
  it.each([
    ['text', { role: 'user', content: 'Hi' }, { role: 'user', parts: [{ type: 'text', content: 'Hi' }] }],
    [
      'parts',
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'image_url', image_url: { url: 'https://a.test/b.png' } },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'text', content: 'Hi' },
          { type: 'uri', modality: 'image', uri: 'https://a.test/b.png' },
        ],
      },
    ],
    [
      'data, of which only the type is kept',
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        ],
      },
      { role: 'user', parts: [{ type: 'image_url' }, { type: 'input_audio' }] },
    ],
    [
      'calls',
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          { id: 'c2', type: 'function', function: { name: 'f', arguments: 'cut' } },
          { id: 'c3', type: 'custom', custom: { name: 'g', input: 'free text' } },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } },
          { type: 'tool_call', id: 'c2', name: 'f', arguments: 'cut' },
          { type: 'tool_call', id: 'c3', name: 'g', arguments: 'free text' },
        ],
      },
    ],
    [
      'outputs',
      { role: 'tool', tool_call_id: 'c1', content: 'rainy' },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'rainy' }] },
    ],
  ])('writes %s as the conventions do', (_, message, expected) => {
    expect(inputMessages([message])).toEqual([expected]);
  });

  it('makes nothing of what are no messages', () => {
    expect(inputMessages('none')).toEqual([]);
    expect(inputMessages([1, null])).toEqual([]);
  });
});

describe('outputMessages', () => {
  it('writes a message for each choice', () => {
    const { status, responseId, model, usage, choices, ...answer } = emptyTurn;
    const turn = {
      ...emptyTurn,
      refusal: 'No.',
      finishReason: 'stop',
      choices: [{ ...answer, choice: 1, text: 'Yes.' }],
    };
    expect([status, responseId, model, usage, choices]).toEqual(['waiting', '', undefined, null, []]);
    expect(outputMessages(turn)).toEqual([
      { role: 'assistant', parts: [{ type: 'refusal', content: 'No.' }], finish_reason: 'stop' },
      { role: 'assistant', parts: [{ type: 'text', content: 'Yes.' }], finish_reason: 'error' },
    ]);
  });
});

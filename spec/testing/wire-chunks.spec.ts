import { ProviderStreamError, streamChatCompletions, UnexpectedStatusError } from '../../src/index.js';
import {
  commentChunk,
  completedEvent,
  dataChunk,
  deltaChunk,
  doneChunk,
  errorBody,
  errorChunk,
  finishChunk,
  reasoningChunk,
  refusalChunk,
  roleChunk,
  type ScriptedAnswer,
  scriptedTransport,
  textChunk,
  textEvent,
  turnOf,
  usageChunk,
} from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';

const answered = (answer: ScriptedAnswer) =>
  record(streamChatCompletions('Hi', { model: 'm', provider, transport: scriptedTransport(answer) }));

const chunk = (
  fields: object,
  head: object = { id: 'chatcmpl-test' },
  model: object = { model: 'test-model' },
) =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', created: 0, ...model, ...fields })}\n\n`;

const delta = (value: object, index = 0) =>
  chunk({ choices: [{ index, delta: value, finish_reason: null }] });

describe('The builders of the wire', () => {
  it('write a delta of one choice', () => {
    expect(textChunk('Hel')).toBe(delta({ content: 'Hel' }));
    expect(textChunk('Hel', { choice: 2 })).toBe(delta({ content: 'Hel' }, 2));
    expect(refusalChunk('No.')).toBe(delta({ refusal: 'No.' }));
    expect(roleChunk()).toBe(delta({ role: 'assistant', content: '' }));
    expect(deltaChunk({ audio: {} }, { choice: 1 })).toBe(delta({ audio: {} }, 1));
  });

  it('write reasoning with the provider’s own account of it', () => {
    const details = [{ type: 'reasoning.encrypted', data: 'x' }];
    expect(reasoningChunk('Hm.')).toBe(delta({ reasoning_content: 'Hm.' }));
    expect(reasoningChunk('Hm.', { details, choice: 1 })).toBe(
      delta({ reasoning_content: 'Hm.', reasoning_details: details }, 1),
    );
    expect(reasoningChunk('', { details })).toBe(delta({ reasoning_details: details }));
  });

  it('write the id and the model that they are given, and none where they are empty', () => {
    const finish = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    expect(finishChunk('stop', { id: 'r', model: 'gpt' })).toBe(chunk(finish, { id: 'r' }, { model: 'gpt' }));
    expect(finishChunk('stop', { id: '', model: '' })).toBe(chunk(finish, {}, {}));
  });

  it('write the finish reason of one choice', () => {
    expect(finishChunk()).toBe(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
    expect(finishChunk('length', { choice: 1 })).toBe(
      chunk({ choices: [{ index: 1, delta: {}, finish_reason: 'length' }] }),
    );
  });

  it('write usage as Chat Completions does', () => {
    expect(
      usageChunk({ inputTokens: 9, cachedInputTokens: 4, outputTokens: 3, reasoningOutputTokens: 1 }),
    ).toBe(
      chunk({
        choices: [],
        usage: {
          prompt_tokens: 9,
          completion_tokens: 3,
          total_tokens: 12,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 1 },
        },
      }),
    );
  });

  it('write any data as one event, a line of it each', () => {
    expect(dataChunk('a\nb\r\nc')).toBe('data: a\ndata: b\ndata: c\n\n');
    expect(dataChunk({ a: 1 })).toBe('data: {"a":1}\n\n');
    expect(dataChunk(undefined)).toBe('data: null\n\n');
    expect(doneChunk()).toBe('data: [DONE]\n\n');
  });

  it('write comments, which say nothing', () => {
    expect(commentChunk('a\nb')).toBe(': a\n: b\n\n');
    expect(answered({ body: [commentChunk(), textChunk('Hi'), finishChunk(), doneChunk()] }).events).toEqual(
      turnOf('Hi'),
    );
  });

  it('write an error inside a stream', () => {
    const { events, error } = answered({
      body: [textChunk('Hel'), errorChunk({ message: 'Too busy.', type: 'overloaded', code: 503 })],
    });
    expect(events).toEqual([textEvent('Hel')]);
    expect(error).toBeInstanceOf(ProviderStreamError);
    expect(error).toMatchObject({
      errorType: 'overloaded',
      code: '503',
      status: 503,
      providerMessage: 'Too busy.',
    });
  });

  it('write the body of an error answer', () => {
    expect(errorBody()).toBe(
      '{"error":{"message":"The provider failed.","type":"server_error","param":null,"code":null}}',
    );
    const { error } = answered({ status: 429, body: errorBody({ code: 'insufficient_quota' }) });
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({ status: 429, code: 'insufficient_quota', retryable: false });
  });

  it('make a turn of the default answer where they are put together by hand', () => {
    const body = [roleChunk(), textChunk('Hel'), textChunk('lo'), finishChunk(), usageChunk({}), doneChunk()];
    expect(answered({ body }).events).toEqual(turnOf('Hel', 'lo', { usage: {} }));
    expect(answered({ body: [textChunk('Hel')] }).events).toEqual([
      textEvent('Hel'),
      completedEvent({ finishReason: null }),
    ]);
  });
});

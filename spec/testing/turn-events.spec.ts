import { from } from 'rxjs';
import { emptyTurn, reduceTurn, textDeltas } from '../../src/index.js';
import {
  completedEvent,
  reasoningEvent,
  refusalEvent,
  restartingEvent,
  textEvent,
  toolCallEvents,
  turnOf,
} from '../../src/testing/index.js';
import { IdleTimeoutError, StreamError } from '../../src/turn/errors.js';
import { received } from '../support/marbles.js';

const completed = {
  type: 'completed',
  responseId: 'chatcmpl-test',
  model: 'test-model',
  finishReason: 'stop',
  usage: null,
  endedBy: 'done',
};

const text = (value: string) => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: value }] },
});

const call = (callId: string, name: string, args: string) => ({
  type: 'output_item_done',
  item: { type: 'function_call', call_id: callId, name, arguments: args },
});

const delta = (callId: string, name: string, index: number, piece: string) => ({
  type: 'function_call_arguments_delta',
  callId,
  name,
  index,
  delta: piece,
});

describe('turnOf()', () => {
  it('takes each string for a piece of text and ends with completed', () => {
    expect(turnOf('Hel', 'lo')).toEqual([text('Hel'), text('lo'), completed]);
    expect(received(from(turnOf('Hel', 'lo')).pipe(textDeltas()))).toEqual(['Hel', 'lo']);
  });

  it('is an empty answer where nothing is said', () => {
    expect(turnOf()).toEqual([completed]);
  });

  it('takes how the turn ends as its last part', () => {
    expect(
      turnOf('Hi', {
        responseId: 'r',
        model: '',
        finishReason: 'length',
        usage: { inputTokens: 3, outputTokens: 4 },
      }),
    ).toEqual([
      text('Hi'),
      {
        type: 'completed',
        endedBy: 'done',
        responseId: 'r',
        finishReason: 'length',
        usage: {
          inputTokens: 3,
          cachedInputTokens: 0,
          outputTokens: 4,
          reasoningOutputTokens: 0,
          totalTokens: 7,
        },
      },
    ]);
  });

  it('puts whole calls at the end, with the reason tool_calls', () => {
    expect(
      turnOf(
        toolCallEvents([
          { callId: 'a', name: 'weather', arguments: ['{"city":', '"Bern"}'] },
          { name: 'now', arguments: '' },
        ]),
        'Let me see.',
      ),
    ).toEqual([
      delta('a', 'weather', 0, '{"city":'),
      delta('a', 'weather', 0, '"Bern"}'),
      text('Let me see.'),
      call('a', 'weather', '{"city":"Bern"}'),
      call('call_0_1', 'now', ''),
      { ...completed, finishReason: 'tool_calls' },
    ]);
  });

  it('tells of each choice why it stopped, and of its calls in the order in which choices finish', () => {
    const turn = turnOf(
      textEvent('two', { choice: 2 }),
      toolCallEvents({ name: 'now' }, { choice: 1 }),
      toolCallEvents({ name: 'now' }),
      { choices: [{ choice: 2, finishReason: 'length' }] },
    );
    expect(turn).toEqual([
      { ...text('two'), choice: 2 },
      { ...delta('call_1_0', 'now', 0, '{}'), choice: 1 },
      delta('call_0_0', 'now', 0, '{}'),
      call('call_0_0', 'now', '{}'),
      { ...call('call_1_0', 'now', '{}'), choice: 1 },
      {
        ...completed,
        finishReason: 'tool_calls',
        choices: [
          { choice: 1, finishReason: 'tool_calls' },
          { choice: 2, finishReason: 'length' },
        ],
      },
    ]);
  });

  it('tells the calls choice by choice, whichever finishes', () => {
    const turn = turnOf(
      toolCallEvents({ callId: 'first', name: 'now', arguments: '' }),
      toolCallEvents({ callId: 'second', name: 'now', arguments: '' }, { choice: 1 }),
      { finishReason: null },
    );
    expect(turn).toEqual([
      call('first', 'now', ''),
      { ...call('second', 'now', ''), choice: 1 },
      {
        ...completed,
        finishReason: null,
        endedBy: 'eof',
        choices: [{ choice: 1, finishReason: 'tool_calls' }],
      },
    ]);
  });

  it('leaves out what no stream gives: empty pieces, and a choice of which nothing came', () => {
    expect(
      turnOf('', textEvent(''), refusalEvent(''), reasoningEvent(''), {
        choices: [{ choice: 3, finishReason: null }],
      }),
    ).toEqual([completed]);
  });

  it('folds to the turn that it describes', () => {
    const turn = turnOf(reasoningEvent('Hm.'), 'Yes', '.', toolCallEvents({ name: 'now' }));
    expect(turn.reduce(reduceTurn, emptyTurn)).toMatchObject({
      status: 'completed',
      text: 'Yes.',
      reasoning: 'Hm.',
      toolCalls: [{ callId: 'call_0_0', name: 'now', arguments: '{}' }],
      finishReason: 'tool_calls',
    });
  });
});

describe('The builders of single events', () => {
  it('give text and refusals of choice 0 no choice, and others theirs', () => {
    expect(textEvent('a', { choice: 0 })).toEqual(text('a'));
    expect(refusalEvent('No.', { choice: 1 })).toEqual({
      type: 'output_item_done',
      item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      choice: 1,
    });
  });

  it('give reasoning its details, whose words stand for a text that is missing', () => {
    const details = [{ type: 'reasoning.text', text: 'Hm.' }];
    const item = {
      type: 'reasoning',
      content: [{ type: 'reasoning_text', text: 'Hm.' }],
      reasoning_details: details,
    };
    expect(reasoningEvent('', { details })).toEqual({ type: 'output_item_done', item });
    expect(reasoningEvent('Hm.')).toEqual({
      type: 'output_item_done',
      item: { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm.' }] },
    });
  });

  it('write a call’s arguments as JSON, and a custom tool’s input as it is', () => {
    expect(toolCallEvents({ name: 'weather', arguments: { city: 'Bern' } })).toEqual([
      delta('call_0_0', 'weather', 0, '{"city":"Bern"}'),
      call('call_0_0', 'weather', '{"city":"Bern"}'),
    ]);
    expect(toolCallEvents({ name: 'shell', input: ['l', '', 's'] })).toEqual([
      delta('call_0_0', 'shell', 0, 'l'),
      delta('call_0_0', 'shell', 0, 's'),
      {
        type: 'output_item_done',
        item: { type: 'custom_tool_call', call_id: 'call_0_0', name: 'shell', input: 'ls' },
      },
    ]);
  });

  it('builds restarting, after the first attempt and with a break where nothing else is said', () => {
    expect(restartingEvent()).toEqual({ type: 'restarting', attempt: 1, delay: 0, error: new StreamError() });
    const fields = { attempt: 2, delay: 400, error: new IdleTimeoutError(5) };
    expect(restartingEvent(fields)).toStrictEqual({ type: 'restarting', ...fields });
  });

  it('give completed what it is told, usage with nothing left out', () => {
    expect(completedEvent()).toEqual(completed);
    expect(
      completedEvent({
        finishReason: null,
        usage: { outputTokens: 2, reasoningOutputTokens: 1, totalTokens: 9 },
        choices: [{ choice: 1, finishReason: 'stop' }],
      }),
    ).toEqual({
      ...completed,
      finishReason: null,
      endedBy: 'eof',
      usage: {
        inputTokens: 0,
        cachedInputTokens: 0,
        outputTokens: 2,
        reasoningOutputTokens: 1,
        totalTokens: 9,
      },
      choices: [{ choice: 1, finishReason: 'stop' }],
    });
  });
});

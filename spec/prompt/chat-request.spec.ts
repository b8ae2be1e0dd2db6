import type { ResponseItem } from '../../src/turn/events.js';
import { chatRequest, type ChatRequestOptions } from '../../src/prompt/chat-request.js';
import { assistantMessage, type Prompt, userMessage } from '../../src/prompt/prompt.js';

const asks = (prompt: Prompt | string, options: Partial<ChatRequestOptions> = {}) =>
  chatRequest(prompt, { model: 'm', ...options });

const hi = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };

describe('chatRequest', () => {
  it('holds the model, the messages and stream, and nothing else', () => {
    expect(asks('Hi')).toStrictEqual(hi);
  });

  it('takes a string for one message of the user', () => {
    expect(asks('Hi')).toStrictEqual(asks({ input: [userMessage('Hi')] }));
  });

  it('puts the instructions first, as the system', () => {
    const prompt = { instructions: 'Be brief.', input: [userMessage('Hi'), assistantMessage('Hello')] };
    expect(asks(prompt).messages).toStrictEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ]);
  });

  it.each([
    { instructions: '' },
    { instructions: undefined },
    { instructions: null as unknown as string },
    {},
  ])('sends no instructions for %j', (prompt) => {
    expect(asks({ ...prompt, input: [] }).messages).toStrictEqual([]);
  });

  it('writes messages as the provider wants them, except where the options say otherwise', () => {
    const provider = { name: 'p', sendReasoning: 'reasoning_content', toolCallContent: 'empty' } as const;
    const call: ResponseItem = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
    const tool_calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }];
    expect(asks({ input: [call] }, { provider }).messages).toStrictEqual([
      { reasoning_content: '', role: 'assistant', content: '', tool_calls },
    ]);
    expect(asks({ input: [call] }, { provider, sendReasoning: false }).messages).toStrictEqual([
      { role: 'assistant', content: '', tool_calls },
    ]);
  });

  it.each(['system', 'developer', 'user', 'assistant'] as const)('keeps the role %s', (role) => {
    const content = [{ type: 'input_text', text: 'Hi' }] as const;
    expect(asks({ input: [{ type: 'message', role, content }] }).messages).toStrictEqual([
      { role, content: 'Hi' },
    ]);
  });

  it('joins the text parts of a message with nothing between', () => {
    const item: unknown = {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'one ' },
        { type: 'output_text', text: 'two' },
      ],
    };
    expect(asks({ input: [item as ResponseItem] }).messages).toStrictEqual([
      { role: 'user', content: 'one two' },
    ]);
  });

  it('leaves reasoning out where no field is named for it', () => {
    const reasoning: ResponseItem = {
      type: 'reasoning',
      content: [{ type: 'reasoning_text', text: 'never' }],
    };
    expect(asks({ input: [reasoning, userMessage('Hi')] })).toStrictEqual(hi);
  });

  it('adds the parameters of the caller', () => {
    expect(asks('Hi', { params: { temperature: 0, stop: ['\n'] } })).toStrictEqual({
      ...hi,
      temperature: 0,
      stop: ['\n'],
    });
  });

  it.each(['model', 'messages', 'stream'])('refuses the parameter %s', (name) => {
    for (const value of ['x', undefined]) {
      expect(() => asks('Hi', { params: { [name]: value } })).toThrow(
        new TypeError(`params.${name} is set by the turn and cannot be overridden.`),
      );
    }
  });

  it.each<[string, ChatRequestOptions['params'], object]>([
    ['by itself', undefined, { include_usage: true }],
    ['beside other stream options', { stream_options: { a: 1 } }, { a: 1, include_usage: true }],
    ['against a refusal', { stream_options: { include_usage: false } }, { include_usage: true }],
    ['in place of none', { stream_options: null }, { include_usage: true }],
  ])('asks for usage %s', (_, params, expected) => {
    expect(asks('Hi', { includeUsage: true, ...(params && { params }) })).toStrictEqual({
      ...hi,
      stream_options: expected,
    });
  });

  it('leaves the stream options of the caller alone where usage is not asked for', () => {
    const params = { stream_options: { a: 1 } };
    expect(asks('Hi', { params, includeUsage: false })).toStrictEqual({ ...hi, ...params });
    expect(params).toStrictEqual({ stream_options: { a: 1 } });
  });

  it.each([[undefined], [''], [' \t'], [7], [null]])('refuses the model %p', (model: unknown) => {
    expect(() => chatRequest('Hi', { model: model as string })).toThrow(
      new TypeError('options.model must be a model name.'),
    );
  });

  it('holds tools, the choice among them, and the form of the answer, as Chat Completions writes them', () => {
    const tools = [{ type: 'function', name: 'f', parameters: { type: 'object' } }] as const;
    expect(
      asks(
        { input: [userMessage('Hi')], tools },
        {
          toolChoice: { type: 'function', name: 'f' },
          parallelToolCalls: false,
          responseFormat: { type: 'json_schema', name: 'answer', schema: { type: 'object' } },
        },
      ),
    ).toStrictEqual({
      ...hi,
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
    });
  });

  it('holds no tools where the list is empty, since providers refuse one', () => {
    expect(asks({ input: [userMessage('Hi')], tools: [] })).toStrictEqual(hi);
  });

  it.each<[string, Partial<ChatRequestOptions>]>([
    ['tool_choice', { toolChoice: 'none' }],
    ['parallel_tool_calls', { parallelToolCalls: true }],
    ['response_format', { responseFormat: { type: 'json_object' } }],
  ])('refuses the parameter %s beside the option, and takes it alone', (name, options) => {
    const params = { [name]: 'x' };
    expect(() => asks('Hi', { ...options, params })).toThrow(
      new TypeError(`params.${name} is set by the turn and cannot be overridden.`),
    );
    expect(asks('Hi', { params })).toStrictEqual({ ...hi, ...params });
  });

  it('refuses the parameter tools beside the tools of the prompt, and takes it alone', () => {
    const params = { tools: [{ type: 'function', function: { name: 'f' } }] };
    const prompt = { input: [userMessage('Hi')], tools: [{ type: 'custom', name: 'sh' }] } as const;
    expect(() => asks(prompt, { params })).toThrow(
      new TypeError('params.tools is set by the turn and cannot be overridden.'),
    );
    expect(asks('Hi', { params })).toStrictEqual({ ...hi, ...params });
  });

  it('sends reasoning back in the field that is named', () => {
    const thought: ResponseItem = { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm' }] };
    const prompt = { input: [thought, assistantMessage('a')] };
    expect(asks(prompt, { sendReasoning: 'reasoning_content' }).messages).toStrictEqual([
      { role: 'assistant', content: 'a', reasoning_content: 'Hm' },
    ]);
    expect(asks(prompt).messages).toStrictEqual([{ role: 'assistant', content: 'a' }]);
  });

  it.each<[unknown]>([
    [undefined],
    [null],
    [{}],
    [{ input: 'Hi' }],
    [{ input: { 0: userMessage('Hi') } }],
    [7],
  ])('refuses the prompt %j', (prompt) => {
    expect(() => asks(prompt as Prompt)).toThrow(
      new TypeError('The prompt must be a string, or an object with an input array.'),
    );
  });

  it.each<[unknown]>([[null], [undefined]])('refuses %p with a TypeError', (prompt) => {
    expect(() => asks(prompt as Prompt)).toThrow(TypeError);
  });
});

import { of } from 'rxjs';
import type {
  ContentPart,
  MessageItem,
  MessageRole,
  ResponseEvent,
  ResponseItem,
} from '../../src/turn/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { chatMessages } from '../../src/prompt/messages.js';
import { assistantMessage, functionCallOutput, userMessage } from '../../src/prompt/prompt.js';
import { completed, text } from '../support/events.js';
import { received } from '../support/marbles.js';

const message = (role: MessageRole, ...content: readonly ContentPart[]): MessageItem => ({
  type: 'message',
  role,
  content,
});
const input = (said: string): ContentPart => ({ type: 'input_text', text: said });
const refusal = (said: string): ContentPart => ({ type: 'refusal', refusal: said });
const call = (call_id: string, written = '{}'): ResponseItem => ({
  type: 'function_call',
  call_id,
  name: 'f',
  arguments: written,
});
const reasoning = (said: string, reasoning_details?: readonly unknown[]): ResponseItem => ({
  type: 'reasoning',
  content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
  ...(reasoning_details && { reasoning_details }),
});

const toolCall = (id: string, written = '{}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: written },
});
const tool = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content });

describe('chatMessages', () => {
  it('is empty for no items', () => {
    expect(chatMessages([])).toStrictEqual([]);
  });

  it('keeps the order and the roles', () => {
    expect(
      chatMessages([
        message('system', input('s')),
        message('developer', input('d')),
        userMessage('u'),
        assistantMessage('a'),
        userMessage('v'),
      ]),
    ).toStrictEqual([
      { role: 'system', content: 's' },
      { role: 'developer', content: 'd' },
      { role: 'user', content: 'u' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'v' },
    ]);
  });

  it('joins text parts with nothing between, and leaves the refusals of others out', () => {
    expect(
      chatMessages([message('user', input('one '), { type: 'output_text', text: 'two' }, refusal('x'))]),
    ).toStrictEqual([{ role: 'user', content: 'one two' }]);
  });

  it('sends an empty message of the user', () => {
    expect(chatMessages([message('user'), userMessage('')])).toStrictEqual([
      { role: 'user', content: '' },
      { role: 'user', content: '' },
    ]);
  });

  it('sends what a user repeats', () => {
    expect(chatMessages([userMessage('a'), userMessage('a')])).toHaveLength(2);
  });

  describe('writes media', () => {
    const url = 'https://images.example/a.png';

    it.each<[string, ContentPart, object]>([
      [
        'an image by its URL',
        { type: 'input_image', image_url: url },
        { type: 'image_url', image_url: { url } },
      ],
      [
        'an image as a data URL, with its detail',
        { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
      ],
      [
        'audio, as it is',
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      ],
      [
        'a file by its id',
        { type: 'input_file', file_id: 'file-1' },
        { type: 'file', file: { file_id: 'file-1' } },
      ],
      [
        'a file by its content',
        { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
      ],
    ])('%s', (_, part, expected) => {
      expect(chatMessages([message('user', part)])).toStrictEqual([{ role: 'user', content: [expected] }]);
    });

    it('among text parts, each in its place, empty ones and refusals left out', () => {
      const image: ContentPart = { type: 'input_image', image_url: url };
      expect(
        chatMessages([
          message('user', input('Look: '), image, input(''), refusal('x'), {
            type: 'output_text',
            text: '?',
          }),
        ]),
      ).toStrictEqual([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look: ' },
            { type: 'image_url', image_url: { url } },
            { type: 'text', text: '?' },
          ],
        },
      ]);
    });

    it("that already has the provider's shape as it is", () => {
      const part: unknown = { type: 'video_url', video_url: { url } };
      expect(chatMessages([message('user', part as ContentPart)])).toStrictEqual([
        { role: 'user', content: [part] },
      ]);
    });
  });

  describe('writes the assistant', () => {
    it('without media, which it cannot send', () => {
      expect(
        chatMessages([message('assistant', { type: 'input_image', image_url: 'x' }, input('a'))]),
      ).toStrictEqual([{ role: 'assistant', content: 'a' }]);
    });

    it.each<[string, readonly ContentPart[], object]>([
      ['refusing', [refusal('I '), refusal('must not.')], { content: null, refusal: 'I must not.' }],
      [
        'refusing after text',
        [{ type: 'output_text', text: 'Well.' }, refusal('No.')],
        { content: 'Well.', refusal: 'No.' },
      ],
    ])('%s', (_, content, expected) => {
      expect(chatMessages([message('assistant', ...content)])).toStrictEqual([
        { role: 'assistant', ...expected },
      ]);
    });

    it('not, where it said nothing', () => {
      expect(chatMessages([message('assistant'), assistantMessage(''), userMessage('a')])).toStrictEqual([
        { role: 'user', content: 'a' },
      ]);
    });

    it('once, where a message was appended twice', () => {
      expect(
        chatMessages([userMessage('u'), assistantMessage('a'), assistantMessage('a'), assistantMessage('a')]),
      ).toStrictEqual([
        { role: 'user', content: 'u' },
        { role: 'assistant', content: 'a' },
      ]);
    });

    it('once, where a whole turn with calls was appended twice', () => {
      const turn = [reasoning('Hm'), assistantMessage('a'), call('1'), call('2')];
      expect(chatMessages([...turn, ...turn, functionCallOutput('1', 'x')], 'reasoning')).toStrictEqual([
        { role: 'assistant', content: 'a', reasoning: 'Hm', tool_calls: [toolCall('1'), toolCall('2')] },
        tool('1', 'x'),
      ]);
    });

    it('again, where the user spoke between', () => {
      expect(
        chatMessages([assistantMessage('a'), userMessage('u'), assistantMessage('a')]).map(
          ({ role }) => role,
        ),
      ).toEqual(['assistant', 'user', 'assistant']);
    });

    it('twice, where it said two things', () => {
      expect(chatMessages([assistantMessage('a'), assistantMessage('b')])).toStrictEqual([
        { role: 'assistant', content: 'a' },
        { role: 'assistant', content: 'b' },
      ]);
    });
  });

  describe('writes calls', () => {
    it('as one assistant message, followed by their outputs', () => {
      expect(
        chatMessages([
          userMessage('u'),
          call('1', '{"q":1}'),
          call('2'),
          functionCallOutput('1', 'one'),
          functionCallOutput('2', ''),
        ]),
      ).toStrictEqual([
        { role: 'user', content: 'u' },
        { role: 'assistant', content: null, tool_calls: [toolCall('1', '{"q":1}'), toolCall('2')] },
        tool('1', 'one'),
        tool('2', ''),
      ]);
    });

    it('together with the text before them', () => {
      expect(chatMessages([assistantMessage('Let me see.'), call('1')])).toStrictEqual([
        { role: 'assistant', content: 'Let me see.', tool_calls: [toolCall('1')] },
      ]);
    });

    it('with nothing between them and their outputs, even where text came after them', () => {
      expect(
        chatMessages([call('1'), assistantMessage('Wait.'), functionCallOutput('1', 'x')]),
      ).toStrictEqual([{ role: 'assistant', content: 'Wait.', tool_calls: [toolCall('1')] }, tool('1', 'x')]);
    });

    it('one after the other, where each has its output before the next', () => {
      expect(
        chatMessages([
          call('1'),
          functionCallOutput('1', 'x'),
          call('2'),
          functionCallOutput('2', 'y'),
          assistantMessage('a'),
        ]),
      ).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
        tool('1', 'x'),
        { role: 'assistant', content: null, tool_calls: [toolCall('2')] },
        tool('2', 'y'),
        { role: 'assistant', content: 'a' },
      ]);
    });

    it('with one id once, as it was last, in the place of the first', () => {
      expect(chatMessages([call('1', '{'), call('2'), call('1', '{}')])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1', '{}'), toolCall('2')] },
      ]);
    });

    it('again in a later message, though the id is the same', () => {
      expect(chatMessages([call('1'), functionCallOutput('1', 'x'), call('1')])).toHaveLength(3);
    });

    it('of custom tools with their input', () => {
      expect(
        chatMessages([
          { type: 'custom_tool_call', call_id: '1', name: 'sh', input: 'ls' },
          { type: 'custom_tool_call_output', call_id: '1', output: 'a.txt' },
        ]),
      ).toStrictEqual([
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: '1', type: 'custom', custom: { name: 'sh', input: 'ls' } }],
        },
        tool('1', 'a.txt'),
      ]);
    });

    it('and outputs that JavaScript callers hold as values, as JSON', () => {
      const items: unknown = [
        { type: 'function_call', call_id: '1', name: 'f', arguments: { q: 1 } },
        { type: 'function_call_output', call_id: '1', output: { a: [null] } },
      ];
      expect(chatMessages(items as readonly ResponseItem[])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1', '{"q":1}')] },
        tool('1', '{"a":[null]}'),
      ]);
    });
  });

  describe('leaves reasoning', () => {
    const items = [userMessage('u'), reasoning('Hm', [{ type: 't' }]), assistantMessage('a')];

    it('out, where no field is named', () => {
      expect(chatMessages(items)).toStrictEqual([
        { role: 'user', content: 'u' },
        { role: 'assistant', content: 'a' },
      ]);
    });

    it.each(['reasoning_content', 'reasoning'] as const)('as text in %s', (field) => {
      expect(chatMessages(items, field)[1]).toStrictEqual({ role: 'assistant', content: 'a', [field]: 'Hm' });
    });

    it('as it came in reasoning_details', () => {
      expect(chatMessages(items, 'reasoning_details')[1]).toStrictEqual({
        role: 'assistant',
        content: 'a',
        reasoning_details: [{ type: 't' }],
      });
    });

    it('out of reasoning_details where the provider gave none, and of the text fields where there is no text', () => {
      const said = { role: 'assistant', content: 'a' };
      expect(chatMessages([reasoning('Hm'), assistantMessage('a')], 'reasoning_details')).toStrictEqual([
        said,
      ]);
      expect(chatMessages([reasoning('', [{}]), assistantMessage('a')], 'reasoning')).toStrictEqual([said]);
    });

    it('joined, on the message that it led to', () => {
      expect(
        chatMessages(
          [
            reasoning('one ', [1]),
            reasoning('two', [2]),
            assistantMessage('a'),
            reasoning('three'),
            call('1'),
            functionCallOutput('1', 'x'),
            reasoning('four'),
            assistantMessage('b'),
          ],
          'reasoning',
        ),
      ).toStrictEqual([
        { role: 'assistant', content: 'a', reasoning: 'one two' },
        { role: 'assistant', content: null, reasoning: 'three', tool_calls: [toolCall('1')] },
        tool('1', 'x'),
        { role: 'assistant', content: 'b', reasoning: 'four' },
      ]);
    });

    it('out, where it led to nothing', () => {
      expect(
        chatMessages([reasoning('Hm'), userMessage('u'), assistantMessage('a')], 'reasoning'),
      ).toStrictEqual([
        { role: 'user', content: 'u' },
        { role: 'assistant', content: 'a' },
      ]);
    });
  });

  it('passes over an item of a kind that it does not know', () => {
    const item: unknown = { type: 'web_search_call', id: 'ws' };
    expect(chatMessages([userMessage('u'), item as ResponseItem])).toStrictEqual([
      { role: 'user', content: 'u' },
    ]);
  });

  it('takes the items of aggregated turns as they are', () => {
    const turn = (...events: readonly ResponseEvent[]): readonly ResponseItem[] =>
      received(of(...events, completed()).pipe(aggregate())).flatMap((event) =>
        event.type === 'output_item_done' ? [event.item] : [],
      );
    const item = (said: ResponseItem): ResponseEvent => ({ type: 'output_item_done', item: said });
    const detail = (said: string) => [{ type: 'reasoning.text', text: said, index: 0 }];
    const conversation = [
      userMessage('What is the weather?'),
      ...turn(
        item(reasoning('Look ', detail('Look '))),
        item(reasoning('up.', detail('up.'))),
        text('One '),
        text('moment.'),
        item(call('1', '{"city":"Oslo"}')),
        item(call('2', '{"city":"Rome"}')),
      ),
      functionCallOutput('1', '4'),
      functionCallOutput('2', '21'),
      ...turn(item(call('3'))),
      functionCallOutput('3', 'ok'),
      ...turn(item(message('assistant', refusal('No.'))), text('4 and 21.')),
    ];
    const first = { role: 'assistant', content: 'One moment.' };
    const tool_calls = [toolCall('1', '{"city":"Oslo"}'), toolCall('2', '{"city":"Rome"}')];
    const rest = [
      tool('1', '4'),
      tool('2', '21'),
      { role: 'assistant', content: null, tool_calls: [toolCall('3')] },
      tool('3', 'ok'),
      { role: 'assistant', content: '4 and 21.', refusal: 'No.' },
    ];
    const asked = { role: 'user', content: 'What is the weather?' };
    expect(chatMessages(conversation)).toStrictEqual([asked, { ...first, tool_calls }, ...rest]);
    expect(chatMessages(conversation, 'reasoning_content')).toStrictEqual([
      asked,
      { ...first, reasoning_content: 'Look up.', tool_calls },
      ...rest,
    ]);
    expect(chatMessages(conversation, 'reasoning_details')).toStrictEqual([
      asked,
      { ...first, reasoning_details: detail('Look up.'), tool_calls },
      ...rest,
    ]);
  });

  it('leaves the items as they were', () => {
    const items = [reasoning('Hm', [{}]), assistantMessage('a'), call('1'), functionCallOutput('1', 'x')];
    const kept = structuredClone(items);
    chatMessages(items, 'reasoning_details');
    expect(items).toStrictEqual(kept);
  });
});

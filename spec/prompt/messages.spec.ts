import { of } from 'rxjs';
import type {
  ContentPart,
  InputFile,
  InputImage,
  InputText,
  MessageItem,
  MessageRole,
  ProviderFields,
  ResponseEvent,
  ResponseItem,
  ToolOutput,
} from '../../src/turn/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { chatMessages, type MessageFormat } from '../../src/prompt/messages.js';
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
      expect(
        chatMessages([...turn, ...turn, functionCallOutput('1', 'x')], { sendReasoning: 'reasoning' }),
      ).toStrictEqual([
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

  describe('writes an output in parts', () => {
    const image: InputImage = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };
    const file: InputFile = { type: 'input_file', file_id: 'file-1' };
    const said = (text: string): InputText => ({ type: 'input_text', text });
    const attached = 'The output is attached in the next user message.';
    const introduction = (id: string) => ({ type: 'text', text: `Output of f (${id}):` });
    const imagePart = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
    const filePart = { type: 'file', file: { file_id: 'file-1' } };
    const calls = {
      role: 'assistant',
      content: null,
      tool_calls: [toolCall('1'), toolCall('2'), toolCall('3')],
    };

    it('as the text of the tool, its parts joined', () => {
      expect(chatMessages([call('1'), functionCallOutput('1', [said('a'), said('b')])])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
        tool('1', 'ab'),
      ]);
    });

    it.each<[string, ToolOutput, string, readonly object[]]>([
      ['text and an image', [said('A cat.'), image], 'A cat.', [imagePart]],
      ['an image alone', [image], attached, [imagePart]],
      ['an image with a text that is empty', [said(''), image], attached, [imagePart]],
      ['images and files among text', [image, said('a'), file, said('b')], 'ab', [imagePart, filePart]],
    ])('of %s, the media as a message of the user', (_, output, content, media) => {
      expect(chatMessages([call('1'), functionCallOutput('1', output)])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
        tool('1', content),
        { role: 'user', content: [introduction('1'), ...media] },
      ]);
    });

    it('after the outputs of all calls, each told with its call', () => {
      const outputs = [
        functionCallOutput('1', [image]),
        functionCallOutput('2', 'text'),
        functionCallOutput('3', [said('c'), file, image]),
      ];
      const [first, second, third] = outputs as [ResponseItem, ResponseItem, ResponseItem];
      const messages = [tool('1', attached), tool('2', 'text'), tool('3', 'c')];
      const [one, two, three] = messages as [object, object, object];
      const ofFirst = [introduction('1'), imagePart];
      const ofThird = [introduction('3'), filePart, imagePart];
      expect(chatMessages([call('1'), call('2'), call('3'), first, second, third])).toStrictEqual([
        calls,
        one,
        two,
        three,
        { role: 'user', content: [...ofFirst, ...ofThird] },
      ]);
      expect(chatMessages([call('1'), call('2'), call('3'), third, first, second])).toStrictEqual([
        calls,
        three,
        one,
        two,
        { role: 'user', content: [...ofThird, ...ofFirst] },
      ]);
    });

    it.each<[string, ResponseItem, object]>([
      ['the user', userMessage('And?'), { role: 'user', content: 'And?' }],
      ['the assistant', assistantMessage('A cat.'), { role: 'assistant', content: 'A cat.' }],
      ['a system message', message('system', input('Be brief.')), { role: 'system', content: 'Be brief.' }],
      ['another call', call('2'), { role: 'assistant', content: null, tool_calls: [toolCall('2')] }],
    ])('before what %s says next', (_, next, written) => {
      const items = [call('1'), functionCallOutput('1', [image]), next];
      expect(chatMessages(items)).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
        tool('1', attached),
        { role: 'user', content: [introduction('1'), imagePart] },
        written,
      ]);
    });

    it('after the last of the outputs, where an item that says nothing stands between them', () => {
      for (const nothing of [message('assistant'), reasoning('Hm.')]) {
        const between = [functionCallOutput('1', [image]), nothing, functionCallOutput('2', [file])];
        expect(chatMessages([call('1'), call('2'), ...between]).map(({ role }) => role)).toEqual([
          'assistant',
          'tool',
          'tool',
          'user',
        ]);
      }
    });

    it('of each round of calls after that round', () => {
      const round = (id: string) => [call(id), functionCallOutput(id, [image])];
      expect(chatMessages([...round('1'), ...round('2')])).toStrictEqual(
        ['1', '2'].flatMap((id) => [
          { role: 'assistant', content: null, tool_calls: [toolCall(id)] },
          tool(id, attached),
          { role: 'user', content: [introduction(id), imagePart] },
        ]),
      );
    });

    it('of a custom tool, and of a call that is not in the prompt', () => {
      expect(
        chatMessages([
          { type: 'custom_tool_call', call_id: '1', name: 'screenshot', input: '' },
          { type: 'custom_tool_call_output', call_id: '1', output: [image] },
          { type: 'function_call_output', call_id: '9', output: [image] },
        ]).slice(1),
      ).toStrictEqual([
        tool('1', attached),
        tool('9', attached),
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Output of screenshot (1):' },
            imagePart,
            { type: 'text', text: 'Output of the call (9):' },
            imagePart,
          ],
        },
      ]);
    });

    it('with the id that the provider is sent', () => {
      const written = chatMessages([call('call_1'), functionCallOutput('call_1', [image])], {
        callIdFormat: 'mistral',
      });
      const id = written[1]?.['tool_call_id'] as string;
      expect(id).toMatch(/^[a-z0-9]{9}$/);
      expect(written[2]).toStrictEqual({ role: 'user', content: [introduction(id), imagePart] });
    });

    it.each<[string, unknown, string]>([
      ['values', [1, 'a'], '[1,"a"]'],
      ['objects of another kind', [{ type: 'row' }, image], `[{"type":"row"},${JSON.stringify(image)}]`],
      ['nothing', [], '[]'],
    ])('as JSON, where it is an array of %s', (_, output, content) => {
      const items: unknown = [call('1'), { type: 'function_call_output', call_id: '1', output }];
      expect(chatMessages(items as readonly ResponseItem[]).slice(1)).toStrictEqual([tool('1', content)]);
    });
  });

  describe('writes a call', () => {
    it.each(['', ' ', '{"city":"Ro', '{"a":1}{"a":1}'])('with {} in place of the arguments %j', (written) => {
      expect(chatMessages([call('1', written)])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1', '{}')] },
      ]);
    });

    it.each<[MessageFormat['toolCallContent'], object]>([
      [undefined, { content: null }],
      ['null', { content: null }],
      ['empty', { content: '' }],
      ['omit', {}],
    ])('without text, where the content beside calls is %s', (toolCallContent, content) => {
      expect(chatMessages([call('1')], { toolCallContent })).toStrictEqual([
        { role: 'assistant', ...content, tool_calls: [toolCall('1')] },
      ]);
      expect(chatMessages([assistantMessage('a'), call('1')], { toolCallContent })).toStrictEqual([
        { role: 'assistant', content: 'a', tool_calls: [toolCall('1')] },
      ]);
      expect(chatMessages([message('assistant', refusal('No.'))], { toolCallContent })).toStrictEqual([
        { role: 'assistant', content: null, refusal: 'No.' },
      ]);
    });

    it('and its output with an id in the form that the provider wants', () => {
      const written = chatMessages(
        [
          call('call_1'),
          call('D681PevKs'),
          functionCallOutput('call_1', 'x'),
          functionCallOutput('D681PevKs', 'y'),
        ],
        { callIdFormat: 'mistral' },
      );
      const [{ tool_calls }, first, second] = written as unknown as [
        { tool_calls: readonly { id: string }[] },
        { tool_call_id: string },
        { tool_call_id: string },
      ];
      expect(tool_calls[0]?.id).toMatch(/^[a-z0-9]{9}$/);
      expect(first.tool_call_id).toBe(tool_calls[0]?.id);
      expect([tool_calls[1]?.id, second.tool_call_id]).toEqual(['D681PevKs', 'D681PevKs']);
    });
  });

  describe('returns what a provider said', () => {
    const extra_content = { google: { thought_signature: 'c2ln' } };
    const signed = (fields: ProviderFields): ResponseItem => ({ ...call('1'), ...fields });
    const opaque = (fields: ProviderFields): ResponseItem => ({ ...reasoning('Hm'), ...fields });

    it.each<[string, ProviderFields]>([
      ['of this name', { extras: { extra_content }, provider: 'gemini' }],
      ['that is not named', { extras: { extra_content } }],
    ])('of a call, on the call: of a provider %s', (_, fields) => {
      expect(chatMessages([signed(fields)], { name: 'gemini' })).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [{ extra_content, ...toolCall('1') }] },
      ]);
    });

    it('beside the name and the arguments, there', () => {
      const extras = { function: { thought_signature: 'c2ln' }, custom: 'no record' };
      expect(chatMessages([signed({ extras })])).toStrictEqual([
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { ...toolCall('1'), function: { thought_signature: 'c2ln', name: 'f', arguments: '{}' } },
          ],
        },
      ]);
      const custom: ResponseItem = {
        type: 'custom_tool_call',
        call_id: '1',
        name: 'sh',
        input: 'ls',
        extras: { custom: { s: 1 }, t: 2 },
      };
      expect(chatMessages([custom])).toStrictEqual([
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ t: 2, id: '1', type: 'custom', custom: { s: 1, name: 'sh', input: 'ls' } }],
        },
      ]);
    });

    it('never in place of the call or the message', () => {
      const extras = { id: 'other', type: 'other', function: { name: 'other', arguments: 'other' } };
      expect(chatMessages([signed({ extras })])).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
      ]);
      expect(
        chatMessages([opaque({ extras: { role: 'system', content: 'x' } }), assistantMessage('a')]),
      ).toStrictEqual([{ role: 'assistant', content: 'a' }]);
    });

    it.each<[string, MessageFormat]>([
      ['another name', { name: 'openai' }],
      ['no name', {}],
    ])('not to a provider of %s', (_, format) => {
      const extras = { reasoning_opaque: 'b3BhcXVl' };
      expect(
        chatMessages(
          [
            { ...reasoning('Hm', [{ type: 'd' }]), extras, provider: 'gemini' } as ResponseItem,
            signed({ extras: { extra_content }, provider: 'gemini' }),
          ],
          { ...format, sendReasoning: 'reasoning_details' },
        ),
      ).toStrictEqual([{ role: 'assistant', content: null, tool_calls: [toolCall('1')] }]);
    });

    it('the words of its reasoning, which every provider understands, to another that wants reasoning', () => {
      expect(
        chatMessages(
          [opaque({ extras: { reasoning_opaque: 'x' }, provider: 'copilot' }), assistantMessage('a')],
          {
            name: 'deepseek',
            sendReasoning: 'reasoning_content',
          },
        ),
      ).toStrictEqual([{ role: 'assistant', content: 'a', reasoning_content: 'Hm' }]);
    });

    it.each<[string, MessageFormat['sendReasoning'], object]>([
      ['where no field is named', undefined, {}],
      ['beside the text', 'reasoning_content', { reasoning_content: 'Hm' }],
      ['beside the text, under the name of Copilot', 'reasoning_text', { reasoning_text: 'Hm' }],
    ])('beside its reasoning, on the message: %s', (_, sendReasoning, words) => {
      const extras = { thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: 'c2ln' }] };
      expect(
        chatMessages([opaque({ extras, provider: 'litellm' }), assistantMessage('a')], {
          name: 'litellm',
          sendReasoning,
        }),
      ).toStrictEqual([{ ...extras, role: 'assistant', content: 'a', ...words }]);
    });

    it('as its account of the reasoning, where no field is named', () => {
      const details = [{ type: 'reasoning.encrypted', data: 'ZW5j' }];
      const items = [{ ...reasoning('Hm', details), provider: 'p' } as ResponseItem, assistantMessage('a')];
      const said = { role: 'assistant', content: 'a' };
      expect(chatMessages(items, { name: 'p' })).toStrictEqual([{ ...said, reasoning_details: details }]);
      expect(chatMessages(items, { name: 'q' })).toStrictEqual([said]);
      expect(chatMessages(items, { name: 'p', sendReasoning: 'reasoning' })).toStrictEqual([
        { ...said, reasoning: 'Hm' },
      ]);
    });

    it('nowhere, where nothing of the reasoning is to be sent, and on calls all the same', () => {
      const items = [
        opaque({ extras: { reasoning_opaque: 'x' }, reasoning_details: [{}] } as ProviderFields),
        signed({ extras: { extra_content } }),
      ];
      expect(chatMessages(items, { sendReasoning: false })).toStrictEqual([
        { role: 'assistant', content: null, tool_calls: [{ extra_content, ...toolCall('1') }] },
      ]);
    });

    it('put together, where it came on several items', () => {
      expect(
        chatMessages([
          opaque({
            extras: { a: 'x', thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: null }] },
          }),
          opaque({
            extras: { b: 'y', thinking_blocks: [{ type: 'thinking', thinking: '', signature: 's' }] },
          }),
          assistantMessage('a'),
        ]),
      ).toStrictEqual([
        {
          a: 'x',
          thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: 's' }],
          b: 'y',
          role: 'assistant',
          content: 'a',
        },
      ]);
    });

    it('without blocks of thinking that were cut before their signature', () => {
      const whole = { type: 'thinking', thinking: 'one', signature: 's' };
      const redacted = { type: 'redacted_thinking', data: 'ZW5j' };
      const cut = { type: 'thinking', thinking: 'two', signature: null };
      const written = (...thinking_blocks: readonly unknown[]) =>
        chatMessages([opaque({ extras: { thinking_blocks } }), assistantMessage('a')]);
      const said = { role: 'assistant', content: 'a' };
      expect(written(whole, redacted, cut)).toStrictEqual([{ thinking_blocks: [whole, redacted], ...said }]);
      expect(written(cut)).toStrictEqual([said]);
    });
  });

  describe('leaves no gap in reasoning_content', () => {
    it('where a message of the assistant had none', () => {
      expect(
        chatMessages([userMessage('u'), assistantMessage('a'), call('1'), functionCallOutput('1', 'x')], {
          sendReasoning: 'reasoning_content',
        }),
      ).toStrictEqual([
        { role: 'user', content: 'u' },
        { role: 'assistant', content: 'a', reasoning_content: '', tool_calls: [toolCall('1')] },
        tool('1', 'x'),
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
      expect(chatMessages(items, { sendReasoning: field })[1]).toStrictEqual({
        role: 'assistant',
        content: 'a',
        [field]: 'Hm',
      });
    });

    it('as it came in reasoning_details', () => {
      expect(chatMessages(items, { sendReasoning: 'reasoning_details' })[1]).toStrictEqual({
        role: 'assistant',
        content: 'a',
        reasoning_details: [{ type: 't' }],
      });
    });

    it('out of reasoning_details where the provider gave none, and of the text fields where there is no text', () => {
      const said = { role: 'assistant', content: 'a' };
      expect(
        chatMessages([reasoning('Hm'), assistantMessage('a')], { sendReasoning: 'reasoning_details' }),
      ).toStrictEqual([said]);
      expect(
        chatMessages([reasoning('', [{}]), assistantMessage('a')], { sendReasoning: 'reasoning' }),
      ).toStrictEqual([said]);
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
          { sendReasoning: 'reasoning' },
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
        chatMessages([reasoning('Hm'), userMessage('u'), assistantMessage('a')], {
          sendReasoning: 'reasoning',
        }),
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
    expect(chatMessages(conversation, { sendReasoning: 'reasoning_content' })).toStrictEqual([
      asked,
      { ...first, reasoning_content: 'Look up.', tool_calls },
      ...rest.map((said) =>
        'content' in said && said.role === 'assistant' ? { ...said, reasoning_content: '' } : said,
      ),
    ]);
    expect(chatMessages(conversation, { sendReasoning: 'reasoning_details' })).toStrictEqual([
      asked,
      { ...first, reasoning_details: detail('Look up.'), tool_calls },
      ...rest,
    ]);
  });

  it('takes as many details and calls as there are', () => {
    const details = Array.from({ length: 300_000 }, (_, index) => ({ index }));
    const items = [reasoning('', details), assistantMessage('a')];
    expect(chatMessages(items, { sendReasoning: 'reasoning_details' })).toHaveLength(1);
    const ids = Array.from({ length: 100_000 }, (_, index) => `id-${index}`);
    const calls = [...ids.map((id) => call(id)), ...ids.map((id) => functionCallOutput(id, 'x'))];
    expect(chatMessages(calls, { callIdFormat: 'mistral' })).toHaveLength(100_001);
  });

  it('leaves the items as they were', () => {
    const items = [reasoning('Hm', [{}]), assistantMessage('a'), call('1'), functionCallOutput('1', 'x')];
    const kept = structuredClone(items);
    chatMessages(items, { sendReasoning: 'reasoning_details' });
    expect(items).toStrictEqual(kept);
  });
});

// What both routes refuse, by what is wrong with it.
const oddValues = [null, 5, true, '', {}, [null], [5], [[]]];
const many = (count, value) => Array.from({ length: count }, () => value);

/** Tools that act in the name of the key's owner, and those that are none. */
const providerTools = [
  { type: 'web_search' },
  { type: 'web_search_preview' },
  { type: 'mcp', server_url: 'http://elsewhere.example' },
  { type: 'code_interpreter', container: { type: 'auto' } },
  { type: 'file_search', vector_store_ids: ['vs_1'] },
  { type: 'openrouter:web_search' },
  { type: '__proto__' },
  { type: 'function' },
  {},
];

export const badPrompts = {
  'a prompt of another form': [...oddValues, [], ' \n', { input: 'Hi' }, { input: [] }, { input: {} }].map(
    (prompt) => ({
      prompt,
    }),
  ),
  'items of another form': [
    ...oddValues.slice(0, -1),
    { role: 'user' },
    { role: 'root', content: 'Hi' },
    { role: 'user', content: 5 },
    { role: 'user', content: 'Hi', tool_calls: [] },
    { role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] },
    { role: 'user', content: [{ type: 'input_image', image_url: 'file:///etc/passwd' }] },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example' } }] },
    { type: 'item_reference', id: 'msg_1' },
    { type: 'function_call_output', call_id: 'a', output: { deep: true } },
    { type: 'function_call', call_id: 'a', name: 'f', arguments: {} },
    { type: '__proto__', role: 'user', content: 'Hi' },
  ].map((item) => ({ prompt: { input: [item] } })),
  'too many items': [201, 10_000].map((count) => ({
    prompt: { input: many(count, { role: 'user', content: '' }) },
  })),
  'instructions of another form': [null, 5, {}, []].map((instructions) => ({
    prompt: { instructions, input: [{ role: 'user', content: 'Hi' }] },
  })),
  'tools of the provider, and those that are none': [
    ...providerTools.map((tool) => [tool]),
    [{ type: 'function', name: 'f', server_url: 'http://elsewhere.example' }],
    [{ type: 'function', name: 'a name' }],
    many(65, { type: 'function', name: 'f' }),
    {},
    'f',
  ].map((tools) => ({ prompt: { input: [{ role: 'user', content: 'Hi' }], tools } })),
  'values nested too deep to be sent on': [
    `{"prompt":{"input":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","name":"f","parameters":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}]}}`,
  ],
};

export const badChatRequests = (good) => {
  const withEach = (name, values) => values.map((value) => ({ ...good, [name]: value }));
  const withMessages = (messages) =>
    withEach(
      'messages',
      messages.map((message) => [message]),
    );
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  return {
    'messages of another form': [
      ...withEach('messages', [undefined, ...oddValues, [], 'Hi', { length: 1 }]),
      ...withMessages([
        { role: 'user' },
        { role: 'root', content: 'Hi' },
        { role: 'user', content: 5 },
        { role: 'user', content: 'Hi', cache_control: { type: 'ephemeral' } },
        { role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] },
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }] },
        { role: 'assistant', content: 'Hi', audio: { id: 'audio_1' } },
        { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'mcp' }] },
        { role: 'tool', content: 'Hi' },
      ]),
      ...withEach('messages', [many(201, good.messages[0]), many(10_000, { role: 'user', content: '' })]),
    ],
    'tools of the provider, and those that are none': withEach('tools', [
      ...providerTools.map((tool) => [tool]),
      [{ type: 'function', function: { name: 'f' }, server_url: 'http://elsewhere.example' }],
      [{ type: 'function', function: { name: 'f', extra: 1 } }],
      [{ type: 'function', function: { name: 'a name' } }],
      many(65, { type: 'function', function: { name: 'f' } }),
      {},
      null,
    ]),
    'parameters of another form': [
      ...withEach('model', [undefined, null, 5, [], {}]),
      ...withEach('stream', ['true', 1, {}, []]),
      ...withEach('stream_options', [5, 'usage', [], { include_usage: 1 }, { include_obfuscation: true }]),
      ...withEach('max_tokens', [null, 0, -1, 1.5, '5', [], {}, 1e300]),
      ...withEach('max_completion_tokens', [null, 0, -1, 1.5, '5', [], {}]),
      ...withEach('temperature', [null, -1, 3, '1', []]),
      ...withEach('stop', [null, 5, {}, many(5, 'x'), [5]]),
      ...withEach('seed', [null, 1.5, '1', {}]),
      ...withEach('tool_choice', [null, 5, 'any', { type: 'mcp', server_label: 'x' }, { type: 'function' }]),
      ...withEach('response_format', [null, 'json', { type: 'grammar' }, { type: 'json_schema' }]),
      ...withEach('reasoning_effort', [null, 5, 'ultra']),
      ...['1e999', '-1e999'].map((number) => JSON.stringify(good).replace('{', `{"max_tokens":${number},`)),
    ],
    'values nested too deep to be sent on': [
      `"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${nested}}}}]`,
      `"response_format":{"type":"json_schema","json_schema":{"name":"f","schema":{"a":${nested}}}}`,
    ].map((field) => JSON.stringify(good).replace('{', `{${field},`)),
  };
};

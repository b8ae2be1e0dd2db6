import { nested, type ResponseFormat, type ToolChoice, type ToolDefinition } from '../../src/prompt/tools.js';

const schema = { type: 'object', properties: { city: { type: 'string' } } };

describe('nested, of a tool', () => {
  it.each<[string, ToolDefinition, object]>([
    [
      'a function',
      { type: 'function', name: 'f', description: 'd', parameters: schema, strict: true },
      { type: 'function', function: { name: 'f', description: 'd', parameters: schema, strict: true } },
    ],
    [
      'a function without parameters',
      { type: 'function', name: 'f' },
      { type: 'function', function: { name: 'f' } },
    ],
    [
      'a custom tool',
      { type: 'custom', name: 'sh', format: { type: 'text' } },
      { type: 'custom', custom: { name: 'sh', format: { type: 'text' } } },
    ],
  ])('nests %s', (_, tool, expected) => {
    expect(nested(tool)).toStrictEqual(expected);
  });

  it.each<[string, ToolDefinition]>([
    ['a function that is nested already', { type: 'function', function: { name: 'f' } }],
    ['a custom tool that is nested already', { type: 'custom', custom: { name: 'sh' } }],
    ["a provider's own tool", { type: 'browser_search', domains: ['example.com'] }],
    ['a tool of a type that objects inherit', { type: 'constructor' }],
  ])('passes %s as it is', (_, tool) => {
    expect(nested(tool)).toBe(tool);
  });

  it('leaves the tool as it was', () => {
    const tool = Object.freeze({ type: 'function', name: 'f' } as const);
    nested(tool);
    expect(tool).toStrictEqual({ type: 'function', name: 'f' });
  });
});

describe('nested, of a choice', () => {
  it.each<[ToolChoice, unknown]>([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [
      { type: 'function', name: 'f' },
      { type: 'function', function: { name: 'f' } },
    ],
    [
      { type: 'custom', name: 'sh' },
      { type: 'custom', custom: { name: 'sh' } },
    ],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'function', function: { name: 'f' } },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } },
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } },
    ],
  ])('writes %j', (choice, expected) => {
    expect(nested(choice)).toStrictEqual(expected);
  });
});

describe('nested, of a format', () => {
  it.each<[ResponseFormat, object]>([
    [{ type: 'text' }, { type: 'text' }],
    [{ type: 'json_object' }, { type: 'json_object' }],
    [
      { type: 'json_schema', name: 'weather', schema, strict: true },
      { type: 'json_schema', json_schema: { name: 'weather', schema, strict: true } },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'weather', schema } },
      { type: 'json_schema', json_schema: { name: 'weather', schema } },
    ],
    [
      { type: 'grammar', grammar: 'root ::= "x"' },
      { type: 'grammar', grammar: 'root ::= "x"' },
    ],
  ])('writes %j', (format, expected) => {
    expect(nested(format)).toStrictEqual(expected);
  });
});

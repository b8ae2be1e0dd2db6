import { errorFields, type ProviderErrorReport, readProviderError } from '../../src/turn/provider-error.js';
import { describeCorpus } from '../support/corpus.js';

const report = (details: Partial<ProviderErrorReport> = {}): ProviderErrorReport => ({
  message: undefined,
  code: undefined,
  type: undefined,
  status: undefined,
  ...details,
});

describe('readProviderError()', () => {
  describe('reads', () => {
    it.each<[string, unknown, Partial<ProviderErrorReport>]>([
      [
        'an error object (OpenAI)',
        { error: { message: 'no', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
        { message: 'no', type: 'invalid_request_error', code: 'model_not_found' },
      ],
      ['null for a code as none', { error: { message: 'no', code: null, type: null } }, { message: 'no' }],
      [
        'a status for a code (OpenRouter)',
        { error: { message: 'no', code: 402 } },
        { message: 'no', code: '402', status: 402 },
      ],
      [
        'a status for a code, as text (Azure)',
        { error: { message: 'no', code: '401' } },
        { message: 'no', code: '401', status: 401 },
      ],
      [
        'a status beside the error',
        { error: { message: 'no', code: 'x' }, status: 503 },
        { message: 'no', code: 'x', status: 503 },
      ],
      [
        'a status_code inside it',
        { error: { message: 'no', status_code: 529 } },
        { message: 'no', status: 529 },
      ],
      ['its status before its code', { error: { status: 500, code: 429 } }, { status: 500, code: '429' }],
      [
        'the same in a list (Gemini), its status a word',
        [{ error: { code: 429, message: 'no', status: 'RESOURCE_EXHAUSTED' } }],
        { message: 'no', code: '429', status: 429 },
      ],
      ['an error that is text (Ollama)', { error: 'no' }, { message: 'no' }],
      [
        'an error that is text, with a code (xAI)',
        { error: 'no', code: 'bad-request' },
        { message: 'no', code: 'bad-request' },
      ],
      ['an error that is something else', { error: ['a', 1] }, { message: '["a",1]' }],
      ['an error that is true', { error: true, message: 'no' }, { message: 'true' }],
      ['a detail that is text (FastAPI)', { detail: 'no' }, { message: 'no' }],
      ['a detail that is a list (FastAPI)', { detail: [{ msg: 'no' }] }, { message: '[{"msg":"no"}]' }],
      [
        'an object that says it is an error (Mistral, vLLM)',
        { object: 'error', message: 'no', type: 'invalid_model', code: '1500' },
        { message: 'no', type: 'invalid_model', code: '1500' },
      ],
      [
        'a type that says it is an error (Anthropic)',
        { type: 'error', error: { type: 'overloaded_error', message: 'no' } },
        { message: 'no', type: 'overloaded_error' },
      ],
      [
        'a type that says it is an error, flat',
        { type: 'error', message: 'no' },
        { message: 'no', type: 'error' },
      ],
      [
        'a message, code and type without more (Doubleword)',
        { code: 400, message: 'no', type: 'Bad Request' },
        { message: 'no', code: '400', status: 400 },
      ],
      [
        'a message that is an object',
        { error: { message: { message: 'no' } } },
        { message: '{"message":"no"}' },
      ],
      ['a detail inside the error', { error: { detail: 'no' } }, { message: 'no' }],
      ['an error inside the error', { error: { error: 'no' } }, { message: 'no' }],
      ['an empty error object', { error: {} }, {}],
      [
        'a text beside a message, an identifier (NestJS: a word beside it is prose)',
        { error: 'rate_limited', message: 'no' },
        { message: 'no', type: 'rate_limited' },
      ],
      [
        'prose beside a message, with a statusCode (NestJS)',
        { statusCode: 400, error: 'Bad Request', message: 'no such model' },
        { message: 'Bad Request: no such model', status: 400 },
      ],
      ['the same text twice', { error: 'no', message: 'no' }, { message: 'no' }],
      ['a text beside an empty message', { error: 'no', message: '' }, { message: 'no' }],
      [
        'a text with an error_type (TGI)',
        { error: 'no', error_type: 'validation' },
        { message: 'no', type: 'validation' },
      ],
      [
        'base_resp (MiniMax)',
        { choices: null, base_resp: { status_code: 1004, status_msg: 'no' } },
        { message: 'no', code: '1004' },
      ],
      [
        'base_resp, its code an HTTP status as text',
        { base_resp: { status_code: '429', status_msg: 'no' } },
        { message: 'no', code: '429', status: 429 },
      ],
      [
        'code and message (DashScope)',
        { code: 'Throttling', message: 'no', request_id: 'r' },
        { message: 'no', code: 'Throttling' },
      ],
      ['status and message', { status: 503, message: 'no' }, { message: 'no', status: 503 }],
      [
        'a type that names an error, and a message',
        { type: 'rate_limit_error', message: 'no' },
        { message: 'no', type: 'rate_limit_error' },
      ],
    ])('%s', (_, value, details) => {
      expect(readProviderError(value)).toEqual(report(details));
    });
  });

  it.each([
    undefined,
    null,
    '',
    'error',
    7,
    true,
    {},
    [],
    [[]],
    [7],
    { error: null },
    { error: '' },
    { error: false },
    { error: 0 },
    { detail: null },
    { id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [] },
    { message: 'Hello' },
    { message: 'Hello', code: 0 },
    { message: 'Hello', code: '200' },
    { message: 'Hello', code: 'Success' },
    { message: 'Hello', type: 'greeting' },
    { message: { text: 'Hello' }, code: 'x' },
    { code: 'x' },
    { choices: [], message: 'Hello', code: 'x', detail: 'x', object: 'error' },
    { base_resp: { status_code: 0, status_msg: 'success' } },
    { base_resp: { status_code: '0' } },
    { base_resp: {} },
    { base_resp: 'x' },
  ])('gives undefined for %j', (value) => {
    expect(readProviderError(value)).toBeUndefined();
  });

  it.each(['two words', 'x'.repeat(65), 'sk-1234\n', '"quoted"', '', true, {}, ['a'], NaN, Infinity])(
    'takes %p, which looks like prose or nothing, neither for a code nor for a type',
    (value) => {
      expect(readProviderError({ error: { message: 'no', code: value, type: value } })).toEqual(
        report({ message: 'no' }),
      );
    },
  );

  it.each(['model_not_found', 'a.b:c/d-e', 'x'.repeat(64)])('takes %p for a code and a type', (value) => {
    expect(readProviderError({ error: { code: value, type: value } })).toEqual(
      report({ code: value, type: value }),
    );
  });

  it.each([399, 600, 200, 42, 400.5, '4000', '40', ' 400', null])('takes %p for no status', (status) => {
    expect(readProviderError({ error: { status } })?.status).toBeUndefined();
  });

  it.each([400, 599, '400', '599'])('takes %p for a status', (status) => {
    expect(readProviderError({ error: { status } })?.status).toBe(Number(status));
  });

  it('counts own properties only', () => {
    expect(readProviderError(Object.create({ error: 'no' }))).toBeUndefined();
    expect(readProviderError(JSON.parse('{"__proto__":{"error":"no"}}'))).toBeUndefined();
    expect(readProviderError({ error: Object.create({ message: 'no', code: 'x' }) as object })).toEqual(
      report(),
    );
  });

  it('reads a list that is nested beyond reason without an error of its own', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(() => readProviderError(deep)).not.toThrow();
    expect(() => readProviderError({ error: { message: deep } })).not.toThrow();
  });
});

describe('errorFields()', () => {
  it.each<[unknown, Partial<ProviderErrorReport>]>([
    [undefined, { message: 'the data' }],
    ['text', { message: 'the data' }],
    [{ reason: 'no' }, { message: 'the data' }],
    [{ message: 'no' }, { message: 'no' }],
    [
      { code: 422, details: 'no' },
      { message: 'no', code: '422', status: 422 },
    ],
    [{ error: { code: 'x' } }, { message: 'the data', code: 'x' }],
    [[{ error: 'no' }], { message: 'no' }],
  ])('of %j', (value, details) => {
    expect(errorFields(value, 'the data')).toEqual(report(details));
  });
});

describeCorpus('readProviderError() over recorded answers', (corpus) => {
  const answers = corpus.httpErrors();
  const identifier = /^[\w.:/-]{1,64}$/;

  /** What the answer says of itself, wherever it stands: in an error object, or beside an error text. */
  function said(body: string): { message: unknown; code: unknown; type: unknown } {
    const json = JSON.parse(body) as Record<string, unknown>;
    const { error } = json;
    const record = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : json;
    const message = typeof error === 'string' ? error : (record['message'] ?? record['detail']);
    return { message, code: record['code'], type: record['type'] };
  }

  const asIdentifier = (value: unknown) =>
    (typeof value === 'string' || typeof value === 'number') && identifier.test(String(value))
      ? String(value)
      : undefined;

  it('has answers to go through', () => {
    expect(answers.length).toBeGreaterThanOrEqual(32);
  });

  it.each(answers)('$name: its message, code and type', ({ body, status }) => {
    const { message, code, type } = said(body);
    expect(typeof message).toBe('string');
    const read = readProviderError(JSON.parse(body));
    expect(read).toMatchObject({ message, code: asIdentifier(code), type: asIdentifier(type) });
    expect([undefined, status]).toContain(read?.status);
  });
});

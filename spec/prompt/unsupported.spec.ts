import type { ChatRequest } from '../../src/prompt/chat-request.js';
import { type UnsupportedFeature, withoutUnsupported } from '../../src/prompt/unsupported.js';

const request: ChatRequest = {
  model: 'm',
  messages: [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: 'Hi', name: 'developer' },
  ],
  temperature: 0,
  parallel_tool_calls: false,
  stream_options: { include_usage: true },
  stream: true,
};

const without = (unsupported: readonly UnsupportedFeature[], params: object = {}) =>
  withoutUnsupported({ ...request, ...params }, unsupported);

describe('withoutUnsupported', () => {
  it('leaves the request alone where the provider supports everything', () => {
    expect(withoutUnsupported(request)).toStrictEqual(request);
    expect(without([])).toStrictEqual(request);
  });

  it('gives a developer message the role system, and nothing else', () => {
    expect(without(['developer'])).toStrictEqual({
      ...request,
      messages: [{ role: 'system', content: 'Be brief.' }, request.messages[1]],
    });
  });

  it('leaves out parallel_tool_calls', () => {
    const { parallel_tool_calls: _, ...others } = request;
    expect(without(['parallel_tool_calls'])).toStrictEqual(others);
  });

  it('leaves out stream_options', () => {
    const { stream_options: _, ...others } = request;
    expect(without(['stream_options'])).toStrictEqual(others);
  });

  it.each<[UnsupportedFeature, UnsupportedFeature]>([
    ['max_tokens', 'max_completion_tokens'],
    ['max_completion_tokens', 'max_tokens'],
  ])('sends %s as %s, unless that is given or unsupported too', (name, other) => {
    expect(without([name], { [name]: 7 })).toStrictEqual({ ...request, [other]: 7 });
    expect(without([name], { [name]: 7, [other]: 8 })).toStrictEqual({ ...request, [other]: 8 });
    expect(without([name, other], { [name]: 7 })).toStrictEqual(request);
    expect(without([name], { [other]: 7 })).toStrictEqual({ ...request, [other]: 7 });
    expect(without([name])).toStrictEqual(request);
  });

  it('takes no parameter that objects inherit for another name', () => {
    const unsupported = ['constructor'] as unknown as UnsupportedFeature[];
    expect(without(unsupported, { constructor: 1 })).toStrictEqual(request);
  });

  it('changes neither the request nor its messages', () => {
    const before = structuredClone(request);
    without(['developer', 'parallel_tool_calls', 'stream_options']);
    expect(request).toStrictEqual(before);
  });
});

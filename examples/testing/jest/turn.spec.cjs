// A turn that is rate limited, waits two seconds, streams, and is cancelled by its user: in virtual time.
const { TestScheduler } = require('rxjs/testing');
const { streamChatCompletions, textDeltas } = require('rxjs-chat-completions');
const { marbleTransport, observableMatcher, textChunk } = require('rxjs-chat-completions/testing');

const provider = { name: 'test', baseUrl: 'https://provider.test/v1', apiKey: 'sk-test' };

test('rate limited, waits two seconds, streams, and is cancelled by its user', () => {
  new TestScheduler(observableMatcher).run((helpers) => {
    const transport = marbleTransport(helpers, [
      { response: '--r', status: 429, headers: { 'retry-after': '2' } },
      { response: '-r', body: '-a-b', frames: { a: textChunk('Hel'), b: textChunk('lo') } },
    ]);
    const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
    helpers
      .expectObservable(turn.pipe(textDeltas()), '-- 2s -----!')
      .toBe('-- 2s --a-b-', { a: 'Hel', b: 'lo' });
    helpers.expectSubscriptions(transport.connections[1].body.subscriptions).toBe('-- 2s -^---!');
  });
});

test('draws what came under what was expected where the two differ', () => {
  const late = () =>
    new TestScheduler(observableMatcher).run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a--b|', { a: 'Hel', b: 'lo' });
      expectSubscriptions(source.subscriptions).toBe('^----!');
      expectObservable(source).toBe('-a-b-|', { a: expect.stringMatching(/^H/), b: 'lo' });
    });
  const picture = [
    'The Observable differs from what was drawn, first at 3 ms.',
    '',
    '  expected  -a-b-|',
    '  actual    -a--b|',
    '               ^^ 4 ms',
    '',
    '  b  "lo"',
  ];
  expect(late).toThrow(new Error(picture.join('\n')));
});

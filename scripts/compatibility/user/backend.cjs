// What a backend does, and its tests: a turn over Node's own transport, and a turn in virtual time. Told to
// throw where the package does anything else. Run from ESM and from CJS.
const assert = require('node:assert/strict');
const { lastValueFrom, Observable, toArray } = require('rxjs');
const { TestScheduler } = require('rxjs/testing');

const types = (events) => events.map(({ type }) => type);

async function overNode({ streamChatCompletions }, { nodeTransport }, { startMockProvider }) {
  const mock = await startMockProvider({ answers: [{ status: 429 }, { content: ['Hel', 'lo'] }] });
  try {
    const turn = streamChatCompletions('Hi', {
      model: 'm',
      provider: { name: 'mock', baseUrl: mock.baseUrl },
      transport: nodeTransport(),
      retry: { initialDelay: 1 },
    });
    assert.ok(turn instanceof Observable, "the user's rxjs is another one");
    const events = await lastValueFrom(turn.pipe(toArray()));
    assert.deepEqual(types(events), ['output_item_done', 'output_item_done', 'completed']);
    assert.equal(mock.requests.length, 2);
  } finally {
    await mock.close();
  }
}

function inVirtualTime({ streamChatCompletions, textDeltas }, { marbleTransport, textChunk }) {
  new TestScheduler(assert.deepEqual).run((helpers) => {
    const transport = marbleTransport(helpers, [
      { response: '--r', status: 429, headers: { 'retry-after': '60' } },
      { response: '-r', body: '-a-b', frames: { a: textChunk('Hel'), b: textChunk('lo') } },
    ]);
    const turn = streamChatCompletions('Hi', {
      model: 'm',
      provider: { name: 'p', baseUrl: 'http://127.0.0.1/v1' },
      transport,
    });
    helpers
      .expectObservable(turn.pipe(textDeltas()), '-- 60s -----!')
      .toBe('-- 60s --a-b-', { a: 'Hel', b: 'lo' });
    helpers.flush();
    helpers.expectSubscriptions(transport.connections[1].body.subscriptions).toBe('-- 60s -^---!');
  });
}

function oneRxjs() {
  const folders = Object.keys(require.cache)
    .map((file) => /^.*[\\/]node_modules[\\/]rxjs[\\/]dist[\\/][^\\/]+/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  assert.equal(new Set(folders).size, 1, [...new Set(folders)].join());
}

module.exports = async (library, testing, node, mockProvider) => {
  await overNode(library, node, mockProvider);
  inVirtualTime(library, testing);
  oneRxjs();
  console.log('done');
};

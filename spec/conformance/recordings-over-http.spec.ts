import {
  type EndDiagnostic,
  fetchTransport,
  type ResponseEvent,
  streamChatCompletions,
} from '../../src/index.js';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { describeCorpus, type Folder, type Recording } from '../support/corpus.js';
import { pieces } from './cuts.js';
import { cuts, expectRecorded, type PlayedTurn } from './recorded-turn.js';

/** A write for each 7 bytes of a long recording would test the patience of the network's buffers only. */
const longest = 4 * 1024;

/** Thousands of writes on a busy machine take their time; nothing here depends on how much. */
jest.setTimeout(60_000);

function play(mock: MockProvider): Promise<PlayedTurn> {
  const events: ResponseEvent[] = [];
  let end: EndDiagnostic | undefined;
  const turn = streamChatCompletions('Hi', {
    model: 'm',
    provider: { name: 'mock', baseUrl: mock.baseUrl, maxRetries: 0 },
    transport: fetchTransport(),
    diagnostics: (diagnostic) => {
      if (diagnostic.type === 'end') end = diagnostic;
    },
  });
  return new Promise((resolve) => {
    turn.subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => resolve({ events, error, end }),
      complete: () => resolve({ events, error: undefined, end }),
    });
  });
}

describeCorpus('streamChatCompletions() over recorded answers, over HTTP', (corpus) => {
  let mock: MockProvider;
  beforeAll(async () => {
    mock = await startMockProvider({ pace: 0 });
  });
  afterAll(() => mock.close());

  const folders: readonly Folder[] = ['recordings', 'handwritten', 'derived'];
  describe.each(folders)('%s', (folder) => {
    it.each(corpus.recordings(folder))(
      '$name gives what was recorded, however it is written',
      async (recording: Recording) => {
        const bytes = corpus.bytes(folder, recording.name);
        for (const { of } of cuts) {
          const writes = of(recording, bytes);
          if (writes === undefined) continue;
          mock.enqueue({
            status: recording.http_status ?? 200,
            headers: { 'content-type': 'text/event-stream', ...recording.response_headers },
            body: writes.length > longest / 7 ? pieces(bytes, 1021) : writes,
          });
          expectRecorded(await play(mock), recording.expected);
        }
      },
    );
  });
});

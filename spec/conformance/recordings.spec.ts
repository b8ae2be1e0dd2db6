import { from } from 'rxjs';
import { type EndDiagnostic, streamChatCompletions } from '../../src/index.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { describeCorpus, type Folder, type Recording } from '../support/corpus.js';
import { record } from './record-events.js';
import { cuts, expectRecorded } from './recorded-turn.js';

function play(recording: Recording, body: readonly Uint8Array[]) {
  let end: EndDiagnostic | undefined;
  const transport = scriptedTransport({
    status: recording.http_status ?? 200,
    headers: { 'content-type': 'text/event-stream', ...recording.response_headers },
    body: from(body),
  });
  const turn = streamChatCompletions('Hi', {
    model: 'm',
    provider: { name: 'recorded', baseUrl: 'http://recorded.invalid/v1' },
    transport,
    diagnostics: (diagnostic) => {
      if (diagnostic.type === 'end') end = diagnostic;
    },
  });
  return { ...record(turn), end };
}

describeCorpus('streamChatCompletions() over recorded answers', (corpus) => {
  const folders: readonly { folder: Folder; least: number }[] = [
    { folder: 'recordings', least: 390 },
    { folder: 'handwritten', least: 17 },
    { folder: 'derived', least: 20 },
  ];

  describe.each(folders)('$folder', ({ folder, least }) => {
    const recordings = corpus.recordings(folder);

    it(`holds at least ${least} recordings`, () => {
      expect(recordings.length).toBeGreaterThanOrEqual(least);
    });

    it.each(recordings)('$name gives what was recorded, however it is cut', (recording) => {
      const bytes = corpus.bytes(folder, recording.name);
      for (const { of } of cuts) {
        const body = of(recording, bytes);
        if (body === undefined) continue;
        const turn = play(recording, body);
        expectRecorded(turn, recording.expected);
        expect(turn.ended).toBe(1);
      }
    });
  });
});

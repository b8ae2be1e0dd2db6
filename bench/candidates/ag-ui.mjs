// The HTTP event pipeline of @ag-ui/client, an RxJS client whose events are a protocol of its own.
import { runHttpRequest, transformHttpEventStream } from '@ag-ui/client';
import { filter, lastValueFrom, map, reduce, tap } from 'rxjs';

export const dialect = 'ag-ui';

export default ({ baseUrl, onDelta }) =>
  lastValueFrom(
    transformHttpEventStream(
      runHttpRequest(() =>
        fetch(`${baseUrl}/chat/completions`, {
          method: 'POST',
          headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
          body: JSON.stringify({
            threadId: 'thread-1',
            runId: 'run-1',
            messages: [{ id: 'message-1', role: 'user', content: 'Why is the sky blue?' }],
          }),
        }),
      ),
    ).pipe(
      filter(({ type }) => type === 'TEXT_MESSAGE_CONTENT'),
      map(({ delta }) => delta),
      onDelta ? tap(onDelta) : (source) => source,
      reduce((text, delta) => text + delta, ''),
    ),
  );

// What a page does: one turn, whole messages.
import { aggregate, streamChatCompletions } from 'rxjs-chat-completions';

globalThis.turn = (baseUrl) =>
  new Promise((resolve, reject) => {
    const events = [];
    streamChatCompletions('Hi', { model: 'm', provider: { name: 'p', baseUrl } })
      .pipe(aggregate())
      .subscribe({ next: (event) => events.push(event), error: reject, complete: () => resolve(events) });
  });

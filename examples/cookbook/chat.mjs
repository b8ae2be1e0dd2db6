// node chat.mjs
import { createInterface } from 'node:readline';
import { concatMap, from, map, pairwise, tap } from 'rxjs';
import {
  accumulate,
  chatOptionsFromEnv,
  streamChatCompletions,
  turnItems,
  userMessage,
} from 'rxjs-chat-completions';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
const conversation = [];

function ask(question) {
  conversation.push(userMessage(question));
  return streamChatCompletions({ input: conversation }, options).pipe(
    accumulate(),
    tap((turn) => turn.status === 'completed' && conversation.push(...turnItems(turn))),
    pairwise(),
    map(([before, turn]) => (turn.status === 'completed' ? '\n> ' : turn.text.slice(before.text.length))),
  );
}

process.stdout.write('> ');
from(createInterface({ input: process.stdin }))
  .pipe(concatMap(ask))
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error.message),
  });

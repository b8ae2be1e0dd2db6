// node summarise-stdin.mjs < minutes.txt
import { text } from 'node:stream/consumers';
import { chatOptionsFromEnv, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
const prompt = `Summarise this text in three sentences.\n\n${await text(process.stdin)}`;

streamChatCompletions(prompt, options)
  .pipe(textDeltas())
  .subscribe({
    next: (delta) => process.stdout.write(delta),
    error: (error) => console.error(error.message),
    complete: () => console.log(),
  });

// node image-input.mjs photo.png
import { readFile } from 'node:fs/promises';
import { chatOptionsFromEnv, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
const image = await readFile(process.argv[2]);
const content = [
  { type: 'input_text', text: 'What is in this picture?' },
  { type: 'input_image', image_url: `data:image/png;base64,${image.toString('base64')}` },
];

streamChatCompletions({ input: [{ role: 'user', content }] }, options)
  .pipe(textDeltas())
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error.message),
    complete: () => console.log(),
  });

// npm install zod; node json-schema.mjs
import { chatOptionsFromEnv, streamChatCompletions } from 'rxjs-chat-completions';
import { jsonFormat, toJson } from 'rxjs-chat-completions/json';
import { z } from 'zod';

const Recipe = z.object({ title: z.string(), minutes: z.number(), ingredients: z.array(z.string()) });
const options = {
  model: 'gpt-4o-mini',
  ...chatOptionsFromEnv(process.env),
  responseFormat: jsonFormat(Recipe),
};

streamChatCompletions('A recipe for pancakes.', options)
  .pipe(toJson(Recipe))
  .subscribe({
    next: ({ title, minutes, ingredients }) =>
      console.log(`${title}, ${minutes} minutes: ${ingredients.join(', ')}`),
    error: (error) => console.error(error.message),
  });

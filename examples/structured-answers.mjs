// Answers in JSON: validated at the end, requested again if they do not match, shown while they stream, and processed row
// by row.
import assert from 'node:assert/strict';
import { lastValueFrom, toArray } from 'rxjs';
import { streamChatCompletions } from 'rxjs-chat-completions';
import { jsonElements, jsonFormat, partialJson, reask, toJson } from 'rxjs-chat-completions/json';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { z } from 'zod';

const City = z.object({ name: z.string(), population: z.number() });
const Cities = z.object({ cities: z.array(City) });
const rome = { name: 'Rome', population: 2_750_000 };
const milan = { name: 'Milan', population: 1_370_000 };
const pieces = (value) => JSON.stringify(value).match(/[^]{1,8}/g);

const mock = await startMockProvider({
  answers: [
    { content: pieces(rome) },
    { content: ['Gladly!\n```json\n', '{"name":"Rome","population":"many"}', '\n```'] },
    { content: pieces(rome) },
    { content: pieces({ cities: [rome, milan] }) },
    { content: pieces({ cities: [rome, milan] }) },
    { content: pieces(rome).slice(0, 2), finishReason: 'length' },
  ],
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const ask = (prompt) =>
  streamChatCompletions(prompt, { ...options, responseFormat: jsonFormat(City) }).pipe(toJson(City));

const city = await lastValueFrom(ask('The largest city of Italy?'));
console.log(`validated: ${city.name}, ${city.population}`);
assert.deepEqual(city, rome);
assert.equal(mock.requests[0].body.response_format.json_schema.strict, true);

const again = await lastValueFrom(ask('And again?').pipe(reask('And again?', ask)));
const told = mock.requests[2].body.messages.at(-1).content;
console.log(`the model was told: ${told.split('\n').slice(0, 2).join(' ')}`);
assert.deepEqual(again, rome);
assert.match(told, /\/population: .*expected number/);

const cities = { ...options, responseFormat: jsonFormat(Cities) };
const growing = await lastValueFrom(
  streamChatCompletions('Two cities.', cities).pipe(partialJson(), toArray()),
);
for (const { cities = [] } of growing) console.log(cities.map(({ name = '' }) => name).join(', '));
assert.deepEqual(growing.at(-1), { cities: [rome, milan] });
assert.equal(growing.at(-1).cities[0], growing.at(-2).cities[0]);

const rows = await lastValueFrom(
  streamChatCompletions('Two cities.', cities).pipe(jsonElements('cities'), toArray()),
);
console.log(`${rows.length} rows, one by one`);
assert.deepEqual(rows, [rome, milan]);

const error = await lastValueFrom(ask('A long one.')).catch((cause) => cause);
console.log(`${error.name}: ${error.code} (${error.finishReason})`);
assert.equal(error.code, 'incomplete');

await mock.close();

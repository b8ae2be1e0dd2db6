/**
 * What an event costs in each stage of its way, in memory: a regression of a whole turn has its room here.
 * The stages are named as the folders of the sources. One stage in a process of its own, started by
 * run.mjs as measure.mjs is.
 */
import { pathToFileURL } from 'node:url';
import { createParser } from 'eventsource-parser';
import { from, identity, lastValueFrom, map, NEVER, of, reduce } from 'rxjs';
import { answerText, blocksOf, closing, opening } from './answer.mjs';
import { runStages } from './run-stages.mjs';

const libraryUrl = process.env.BENCH_LIBRARY ?? new URL('../dist/esm/index.js', import.meta.url).href;

const events = 2_000;
const answers = (dialect, chunks = events) => {
  const blocks = [Buffer.from(opening(dialect)), ...blocksOf(chunks, dialect), Buffer.from(closing(dialect))];
  const text = blocks.join('');
  const messages = [];
  createParser({ onEvent: (message) => messages.push(message) }).feed(text);
  return {
    blocks,
    text,
    messages,
    datas: messages.map(({ data }) => data).filter((data) => data !== '[DONE]'),
  };
};

/** The text that the events of a turn hold. */
const addText = (text, event) =>
  event.type === 'output_item_done' ? text + event.item.content[0].text : text;

const turnInMemory = (library, blocks) =>
  library.streamChatCompletions('Why is the sky blue?', {
    model: 'model',
    provider: { name: 'bench', baseUrl: 'http://127.0.0.1' },
    transport: () =>
      of({
        status: 200,
        headers: { get: (name) => (name === 'content-type' ? 'text/event-stream' : null) },
        body: from(blocks),
      }),
  });

/** A decoder of messages, fed with a whole answer: the text of its events. */
const decoded = (makeDecoder, dialect) => {
  const { messages } = answers(dialect);
  const content = messages.filter(({ data }) => data !== '[DONE]');
  return () => {
    let text = '';
    const decoder = makeDecoder((event) => (text = addText(text, event)));
    for (const message of content) decoder.push(message);
    decoder.end();
    return text;
  };
};

/** A module of `response/chunks`, which stood in `response` before 0.2. */
const inChunks = (inner, file) => inner(`response/chunks/${file}`).catch(() => inner(`response/${file}`));

/** An operator on the events of a turn, which are there already. */
const operated = async (library, operator, textOf) => {
  const { blocks } = answers('openai');
  const turn = [];
  await turnInMemory(library, blocks).forEach((event) => turn.push(event));
  return () => {
    let last;
    operator(from(turn)).subscribe((value) => (last = textOf(last, value)));
    return last;
  };
};

/** What an operator adds to an event: the same events without it are measured in turn, and subtracted. */
const added = (operatorOf) => ({
  prepare: ({ library }) =>
    operated(library, operatorOf(library), (text = '', event) => addText(text, event)),
  less: ({ library }) => operated(library, identity, (text = '', event) => addText(text, event)),
});

/** `prepare` resolves to one run of the work, `less` to one of what is subtracted; what that gives must be `gives`, or the whole text. */
const stages = {
  'by hand: bytes to text': {
    prepare() {
      const { blocks } = answers('openai');
      return () => {
        const decoder = new TextDecoder();
        let length = 0;
        for (const block of blocks) length += decoder.decode(block, { stream: true }).length;
        return length;
      };
    },
    gives: () => answers('openai').text.length,
  },
  'by hand: text to events': {
    prepare() {
      const { blocks } = answers('openai');
      const texts = blocks.map(String);
      return () => {
        let count = 0;
        const parser = createParser({ onEvent: () => (count += 1) });
        for (const text of texts) parser.feed(text);
        return count;
      };
    },
    gives: () => answers('openai').messages.length,
  },
  'by hand: JSON.parse': {
    prepare() {
      const { datas } = answers('openai');
      return () => {
        let text = '';
        for (const data of datas) text += JSON.parse(data).choices[0].delta.content ?? '';
        return text;
      };
    },
  },
  'prompt: 2,000 items to a body': {
    async prepare({ inner, library }) {
      const { chatRequest } = await inner('prompt/chat-request.js');
      const input = Array.from({ length: events }, (_, index) =>
        (index % 2 ? library.assistantMessage : library.userMessage)('Why is the sky blue?'),
      );
      return () => JSON.stringify(chatRequest({ input }, { model: 'model' })).match(/"role"/g).length;
    },
    gives: () => events,
  },
  'request: turns of one event, each': {
    count: 100,
    prepare({ library }) {
      const { blocks } = answers('openai', 1);
      const body = [Buffer.concat(blocks)];
      return async () => {
        let text = '';
        for (let index = 0; index < 100; index += 1)
          text = await lastValueFrom(turnInMemory(library, body).pipe(reduce(addText, '')));
        return text;
      };
    },
    gives: () => answerText(1),
  },
  'response: bytes to events': {
    async prepare({ inner }) {
      const { eventStreamParser } = await inner('response/event-stream-parser.js');
      const { blocks } = answers('openai');
      return () => {
        let count = 0;
        const parser = eventStreamParser();
        for (const block of blocks) count += parser.push(block).length;
        parser.end();
        return count;
      };
    },
    gives: () => answers('openai').messages.length,
  },
  'response: chunks, each parsed': {
    prepare: async ({ inner }) => decoded((await inChunks(inner, 'chunk-decoder.js')).chunkDecoder, 'openai'),
  },
  'response: chunks, obfuscated': {
    prepare: async ({ inner }) =>
      decoded((await inChunks(inner, 'pattern-decoder.js')).patternDecoder, 'openai'),
  },
  'response: chunks, alike but for the text': {
    prepare: async ({ inner }) =>
      decoded((await inChunks(inner, 'pattern-decoder.js')).patternDecoder, 'plain'),
  },
  'response: the public operators': {
    prepare({ library: { decodeChatCompletions, decodeEventStream } }) {
      const { blocks } = answers('openai');
      return () => {
        let text = '';
        from(blocks)
          .pipe(decodeEventStream(), decodeChatCompletions())
          .subscribe((event) => (text = addText(text, event)));
        return text;
      };
    },
  },
  'operators: none': {
    prepare: ({ library }) => operated(library, identity, (text = '', event) => addText(text, event)),
  },
  'operators: textDeltas()': {
    prepare: ({ library }) => operated(library, library.textDeltas(), (text = '', delta) => text + delta),
  },
  'operators: aggregate()': {
    prepare: ({ library }) =>
      operated(library, library.aggregate(), (text = '', event) => addText(text, event)),
  },
  'operators: accumulate()': {
    prepare: ({ library }) => operated(library, library.accumulate(), (_, { text }) => text),
  },
  'compose: map()': added(() => map(identity)),
  'compose: restartOnBreak()': added(({ restartOnBreak }) => restartOnBreak()),
  'compose: fallbackWith()': added(({ fallbackWith }) => fallbackWith(NEVER)),
  'compose: hedgeWith()': added(({ hedgeWith }) => hedgeWith(NEVER, { after: Infinity })),
  'compose: requireFinish()': added(({ requireFinish }) => requireFinish()),
  'compose: limitTokens()': added(({ limitTokens }) => limitTokens(Infinity)),
  ...runStages,
  'all: a turn without a network': {
    prepare({ library }) {
      const { blocks } = answers('openai');
      return () => lastValueFrom(turnInMemory(library, blocks).pipe(reduce(addText, '')));
    },
  },
};

export const stageNames = Object.keys(stages);

/** CPU time in ns per event: the median of some samples, once the engine has seen the code. */
async function measure({ prepare, less, gives = () => answerText(events), count = events }) {
  const library = await import(libraryUrl);
  const given = { library, inner: (path) => import(new URL(`../cjs/${path}`, libraryUrl).href) };
  const [run, other] = [await prepare(given), await less?.(given)];
  if ((await run()) !== gives()) throw new Error('the result came out different');

  const sample = async (work, microseconds) => {
    const before = process.cpuUsage();
    for (let runs = 1; ; runs += 1) {
      await work();
      const { user, system } = process.cpuUsage(before);
      if (user + system >= microseconds) return ((user + system) * 1_000) / (runs * count);
    }
  };
  // No collection is asked for: it would throw the engine's code away too.
  if (other !== undefined) await sample(other, 400_000);
  await sample(run, 800_000);
  const samples = [];
  for (let index = 0; index < (other === undefined ? 5 : 7); index += 1) {
    const without = other === undefined ? 0 : await sample(other, 40_000);
    samples.push((await sample(run, 40_000)) - without);
  }
  return samples.toSorted((a, b) => a - b)[samples.length >> 1];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { subject } = JSON.parse(process.argv[2]);
  const result = { ns: await measure(stages[subject.stage]) };
  process.send({ result }, () => process.exit());
}

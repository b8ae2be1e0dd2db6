import fc from 'fast-check';
import { concat, from, NEVER, throwError } from 'rxjs';
import { emptyTurn, reduceTurn, type ResponseEvent, streamChatCompletions } from '../../src/index.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

/** What a model means. */
interface Meant {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  readonly usage: { readonly input: number; readonly output: number } | undefined;
}

/** How a provider says it. */
interface Habits {
  readonly reasoningIn: 'reasoning_content' | 'reasoning' | 'reasoning_text' | 'thinking' | 'part' | 'twice';
  readonly textIn: 'text' | 'part' | 'part without type' | 'number where it is one' | 'message of each chunk';
  readonly choiceIndex: '0' | '1' | 'text' | 'none';
  readonly usageIn: 'last' | 'with finish' | 'x_groq' | 'choice' | 'names of responses' | 'then zeros';
  readonly framing:
    'right' | 'one line feed' | 'two in a line' | 'data twice' | 'CRLF' | 'raw control characters';
  readonly finish: 'before the rest' | 'with the last' | 'repeated' | 'none';
  readonly end: '[DONE]' | '[DONE] without its blank line' | 'none' | 'silence' | 'break';
  readonly between: 'nothing' | 'comments' | 'empty choices' | 'no JSON';
  /** How many bytes a network read has. */
  readonly read: number;
}

const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 6 }),
  fc.constantFrom('12', '0.5', '\n', '\t', '"', '\\', '👋🏽', '}{', '[DONE]', 'data: {', 'ha', 'ha'),
);

const meant: fc.Arbitrary<Meant> = fc.record({
  reasoning: fc.array(word, { maxLength: 4 }),
  text: fc.array(word, { maxLength: 6 }),
  usage: fc.option(
    fc.record({ input: fc.integer({ min: 1, max: 999 }), output: fc.integer({ min: 1, max: 999 }) }),
    {
      nil: undefined,
    },
  ),
});

const anyHabits: fc.Arbitrary<Habits> = fc.record({
  reasoningIn: fc.constantFrom(
    'reasoning_content',
    'reasoning',
    'reasoning_text',
    'thinking',
    'part',
    'twice',
  ),
  textIn: fc.constantFrom(
    'text',
    'part',
    'part without type',
    'number where it is one',
    'message of each chunk',
  ),
  choiceIndex: fc.constantFrom('0', '1', 'text', 'none'),
  usageIn: fc.constantFrom('last', 'with finish', 'x_groq', 'choice', 'names of responses', 'then zeros'),
  framing: fc.constantFrom(
    'right',
    'one line feed',
    'two in a line',
    'data twice',
    'CRLF',
    'raw control characters',
  ),
  finish: fc.constantFrom('before the rest', 'with the last', 'repeated', 'none'),
  end: fc.constantFrom('[DONE]', '[DONE] without its blank line', 'none', 'silence', 'break'),
  between: fc.constantFrom('nothing', 'comments', 'empty choices', 'no JSON'),
  read: fc.constantFrom(1, 7, 64, 100_000),
});

/** What nobody could tell apart is left out. */
const habits = anyHabits.map((wild): Habits => ({
  ...wild,
  // Silence and a break are ends of an answer that has its finish reason.
  finish:
    wild.finish === 'none' && (wild.end === 'silence' || wild.end === 'break')
      ? 'with the last'
      : wild.finish,
  // Two values in one line, or events without a blank line, have nothing between them.
  between: wild.framing === 'one line feed' || wild.framing === 'two in a line' ? 'nothing' : wild.between,
}));

type Chunk = Record<string, unknown>;

function chunksOf({ reasoning, text, usage }: Meant, habit: Habits): readonly Chunk[] {
  const index = { '0': { index: 0 }, '1': { index: 1 }, text: { index: '0' }, none: {} }[habit.choiceIndex];
  const chunk = (fields: object, more: object = {}): Chunk => ({
    id: 'r',
    model: 'm',
    choices: [{ ...index, ...fields }],
    ...more,
  });
  const says = (delta: object) =>
    chunk(
      habit.textIn === 'message of each chunk' ? { message: { role: 'assistant', ...delta } } : { delta },
    );

  const thoughts = reasoning.map((words) => {
    switch (habit.reasoningIn) {
      case 'part':
        return says({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: words }] }] });
      case 'twice':
        return says({ reasoning: words, reasoning_content: words });
      default:
        return says({ [habit.reasoningIn]: words });
    }
  });
  const words = text.map((words) => {
    switch (habit.textIn) {
      case 'part':
        return says({ content: [{ type: 'text', text: words }] });
      case 'part without type':
        return says({ content: [{ text: words }] });
      case 'number where it is one':
        return says({ content: String(Number(words)) === words ? Number(words) : words });
      default:
        return says({ content: words });
    }
  });

  const figures = usage && {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
  };
  const inOtherNames = usage && { input_tokens: usage.input, output_tokens: usage.output };
  const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const finish = habit.finish === 'none' ? {} : { finish_reason: 'stop' };
  const last = chunk(
    { delta: {}, ...finish, ...(figures && habit.usageIn === 'choice' && { usage: figures }) },
    figures && habit.usageIn === 'with finish' ? { usage: figures } : {},
  );
  const bare = (fields: object): Chunk => ({ id: 'r', model: 'm', choices: [], ...fields });
  const usages = {
    last: [bare({ usage: figures })],
    'with finish': [],
    choice: [],
    x_groq: [bare({ x_groq: { usage: figures } })],
    'names of responses': [bare({ usage: inOtherNames })],
    'then zeros': [bare({ usage: figures }), bare({ usage: zeros })],
  }[habit.usageIn];
  const rest = figures === undefined ? [] : usages;
  return [
    ...thoughts,
    ...words,
    last,
    ...(habit.finish === 'repeated' ? [chunk({ delta: {}, finish_reason: 'stop' })] : []),
    ...rest,
  ];
}

function wireOf(chunks: readonly Chunk[], { framing, end, between }: Habits): string {
  const filler = {
    nothing: '',
    comments: ': PROCESSING\n\n',
    'empty choices': 'data: {"choices":[]}\n\n',
    'no JSON': 'data: heartbeat\n\n',
  }[between];
  const json = (chunk: Chunk) =>
    framing === 'raw control characters'
      ? JSON.stringify(chunk).replace(/\\\\|\\t/g, (escape) => (escape === '\\t' ? '\t' : escape))
      : JSON.stringify(chunk);
  const done = end.startsWith('[DONE]');
  const mark = end === '[DONE]' ? 'data: [DONE]\n\n' : 'data: [DONE]';
  let wire: string;
  switch (framing) {
    case 'one line feed':
      wire = `${chunks.map((chunk) => `data: ${json(chunk)}\n`).join('')}\n`;
      break;
    case 'two in a line':
      wire = `data: ${chunks.map(json).join('')}\n\n`;
      break;
    case 'data twice':
      wire = chunks.map((chunk) => `data: data: ${json(chunk)}\n\n${filler}`).join('');
      break;
    default:
      wire = chunks.map((chunk) => `data: ${json(chunk)}\n\n${filler}`).join('');
  }
  const all = done ? wire + mark : wire;
  return framing === 'CRLF' ? all.replaceAll('\n', '\r\n') : all;
}

/** The turn of a body that is cut into reads, in virtual time: silence ends after the limit. */
function turnOf(wire: string, { end, read }: Habits) {
  const bytes = new TextEncoder().encode(wire);
  const reads = Array.from({ length: Math.ceil(bytes.length / read) }, (_, at) =>
    bytes.slice(at * read, (at + 1) * read),
  );
  const scheduler = testScheduler();
  const events: ResponseEvent[] = [];
  let outcome: unknown = 'pending';
  scheduler.run(({ flush }) => {
    const tail = {
      silence: NEVER,
      break: throwError(() => new Error('reset')),
    };
    const body = end === 'silence' || end === 'break' ? concat(from(reads), tail[end]) : from(reads);
    streamChatCompletions('Hi', {
      model: 'm',
      provider,
      scheduler,
      transport: scriptedTransport({ body }),
    }).subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => (outcome = error),
      complete: () => (outcome = 'complete'),
    });
    flush();
  });
  return { turn: events.reduce(reduceTurn, emptyTurn), outcome };
}

it('A provider of any mix of odd habits says what it means', () => {
  fc.assert(
    fc.property(meant, habits, (meaning, habit) => {
      const { turn, outcome } = turnOf(wireOf(chunksOf(meaning, habit), habit), habit);
      expect(outcome).toBe('complete');
      expect(turn.text).toBe(meaning.text.join(''));
      expect(turn.reasoning).toBe(meaning.reasoning.join(''));
      expect(turn.finishReason).toBe(habit.finish === 'none' ? null : 'stop');
      const { usage } = meaning;
      expect(turn.usage && { input: turn.usage.inputTokens, output: turn.usage.outputTokens }).toEqual(
        usage ?? null,
      );
      expect(turn.toolCalls).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
});

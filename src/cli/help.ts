import { defaults } from '../options.js';
import { defaultPace, demoPrompt, openAiModel, providerNames } from './arguments.js';
import { stdinWait } from './stdin.js';

/** Wraps words into lines of at most 56 characters, aligned in the help. */
const inLines = (words: readonly string[]): string =>
  words
    .join(', ')
    .replace(/(.{1,56})(?: |$)/g, (_, line: string, at: number) =>
      at === 0 ? line : `\n${' '.repeat(22)}${line}`,
    );

export const help = `Usage: rxjs-chat-completions [options] [prompt] [-]
       rxjs-chat-completions --chat [options] [first question]
       rxjs-chat-completions mock [--port N] [--pace MS] [--fixture FILE]
                                    [--cors]

Streams a model's answer to stdout. The prompt is the argument, stdin, or both,
joined by a blank line:

  git diff | rxjs-chat-completions "Summarise this"

If stdin is silent for ${stdinWait / 1_000} s, the prompt is sent without it. Use - to wait for
stdin without a limit.

Provider
  --provider NAME     ${inLines(providerNames)}
  --base-url URL      any other endpoint, without /chat/completions
  --model NAME        default ${openAiModel} for OpenAI, required otherwise
  Without these options, OPENAI_API_KEY and OPENAI_BASE_URL, an embedded mock
  provider answers.

Request
  --system TEXT       instructions
  --param KEY=VALUE   request parameter, such as temperature=0; the value is
                      JSON, else a string; may be repeated
  --usage             ask for the token usage (some providers reject this)
  --max-retries N     default ${defaults.maxRetries}
  --idle-timeout MS   longest silence in a response; default ${defaults.idleTimeout}

Conversation
  --chat              one question per line, until Ctrl-D or /exit; Ctrl-C stops
                      an answer and keeps it, a second Ctrl-C exits

Output
  --show-reasoning    show the model's reasoning on stderr, dimmed
  --json              print the events, one JSON object per line
  --aggregate         print the whole answer at once
  Tool calls, notices, usage and timing go to stderr. Set NO_COLOR to turn off
  colours.

Offline
  --demo              use the embedded provider, unless another is named;
                      the default prompt is "${demoPrompt}"
  --replay FILE       play a recorded event stream; the prompt is ignored
  --pace MS           delay between chunks of the embedded provider or replay;
                      default ${defaultPace}

Run the mock provider
  mock                serve Chat Completions on 127.0.0.1 until Ctrl-C, for any
                      client and key; prints its base URL
  --port N            default: any free port
  --pace MS           as above
  --fixture FILE      the responses: a recorded event stream, or JSON (.json)
  --cors              allow requests from web pages of any origin

  --help, --version

Environment: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL,
OPENAI_REQUEST_MAX_RETRIES, OPENAI_STREAM_IDLE_TIMEOUT_MS, and the key of each
provider, such as GROQ_API_KEY.

Exit status: 0 on success, 1 after an error, 2 for a wrong command line, 130
after Ctrl-C.
`;

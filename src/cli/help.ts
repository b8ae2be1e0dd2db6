import { defaults } from '../options.js';
import { defaultPace, demoPrompt, openAiModel, providerNames } from './arguments.js';
import { stdinWait } from './stdin.js';

/** Words in lines of at most 56 characters, which stand under each other in the help. */
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

Streams a model's answer to stdout. Without a prompt, stdin is the prompt; with
one, stdin follows it after a blank line:

  git diff | rxjs-chat-completions "Summarise this"

If stdin is silent for ${stdinWait / 1_000} s, the prompt is sent without it. With -, stdin is
waited for, however long it takes.

Provider
  --provider NAME     ${inLines(providerNames)}
  --base-url URL      any endpoint, up to but without /chat/completions
  --model NAME        default ${openAiModel} for OpenAI; required for any other
  Without these, and without OPENAI_API_KEY or OPENAI_BASE_URL, an embedded mock
  provider answers.

Request
  --system TEXT       instructions
  --param KEY=VALUE   a parameter of the body, such as temperature=0; the value
                      is JSON, or else a string; may be repeated
  --usage             ask for the usage in tokens (some providers refuse this)
  --max-retries N     default ${defaults.maxRetries}
  --idle-timeout MS   the longest silence inside an answer; default ${defaults.idleTimeout}

Conversation
  --chat              one question a line, until Ctrl-D or /exit; Ctrl-C stops an
                      answer and keeps what has come, a second one leaves

Output
  --show-reasoning    what the model thinks, dimmed, on stderr
  --json              the events, one JSON object a line
  --aggregate         the whole answer at once
  Tool calls, notices, the usage and the time go to stderr. NO_COLOR turns
  colours off.

Offline
  --demo              ask the embedded provider, unless another is named;
                      without a prompt: "${demoPrompt}"
  --replay FILE       play a recorded event stream; the prompt does not matter
  --pace MS           between two chunks of the embedded provider or a replay;
                      default ${defaultPace}

Run the mock provider
  mock                serves Chat Completions on 127.0.0.1 until Ctrl-C, to any
                      client and any key, and prints its base URL
  --port N            default: a free one
  --pace MS           as above
  --fixture FILE      the answers: a recorded event stream, or JSON (.json)
  --cors              lets web pages of any origin ask and read the answers

  --help, --version

Environment: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL,
OPENAI_REQUEST_MAX_RETRIES, OPENAI_STREAM_IDLE_TIMEOUT_MS, and each provider's
key, such as GROQ_API_KEY.

Exit status: 0, 1 after an error, 2 if the command line is wrong, 130 after
Ctrl-C.
`;

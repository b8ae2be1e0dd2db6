import type { ModelProvider } from './model-provider.js';

const hosted = (
  name: string,
  baseUrl: string,
  envKey: string,
  keysAt: string,
  settings?: Partial<ModelProvider>,
): ModelProvider => ({
  name,
  baseUrl,
  envKey,
  envKeyInstructions: `Keys are made at ${keysAt}.`,
  ...settings,
});

/**
 * Providers whose base URL and key variable are known from their public documentation. Spread one to
 * change it: `{ ...builtInProviders.openai, baseUrl: '/api' }`. The last two are servers on one's own
 * machine and send no key.
 */
export const builtInProviders = {
  openai: /* @__PURE__ */ hosted(
    'openai',
    'https://api.openai.com/v1',
    'OPENAI_API_KEY',
    'https://platform.openai.com/api-keys',
  ),
  openrouter: /* @__PURE__ */ hosted(
    'openrouter',
    'https://openrouter.ai/api/v1',
    'OPENROUTER_API_KEY',
    'https://openrouter.ai/keys',
    // Kept blocks: https://openrouter.ai/docs/use-cases/reasoning-tokens
    { sendReasoning: 'reasoning_details' },
  ),
  gemini: /* @__PURE__ */ hosted(
    'gemini',
    'https://generativelanguage.googleapis.com/v1beta/openai',
    'GEMINI_API_KEY',
    'https://aistudio.google.com/apikey',
  ),
  mistral: /* @__PURE__ */ hosted(
    'mistral',
    'https://api.mistral.ai/v1',
    'MISTRAL_API_KEY',
    'https://console.mistral.ai/api-keys',
    { callIdFormat: 'mistral' },
  ),
  deepseek: /* @__PURE__ */ hosted(
    'deepseek',
    'https://api.deepseek.com',
    'DEEPSEEK_API_KEY',
    'https://platform.deepseek.com/api_keys',
    // Refused (400) without it after a tool call: https://api-docs.deepseek.com/guides/thinking_mode
    { sendReasoning: 'reasoning_content' },
  ),
  moonshot: /* @__PURE__ */ hosted(
    'moonshot',
    'https://api.moonshot.ai/v1',
    'MOONSHOT_API_KEY',
    'https://platform.moonshot.ai/console/api-keys',
    // Refused (400) without it after a tool call: https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
    { sendReasoning: 'reasoning_content' },
  ),
  xai: /* @__PURE__ */ hosted('xai', 'https://api.x.ai/v1', 'XAI_API_KEY', 'https://console.x.ai'),
  groq: /* @__PURE__ */ hosted(
    'groq',
    'https://api.groq.com/openai/v1',
    'GROQ_API_KEY',
    'https://console.groq.com/keys',
  ),
  ollama: { name: 'ollama', baseUrl: 'http://localhost:11434/v1' },
  lmstudio: { name: 'lmstudio', baseUrl: 'http://localhost:1234/v1' },
} as const satisfies Record<string, ModelProvider>;

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
  envKeyInstructions: `Create a key at ${keysAt}.`,
  ...settings,
});

/**
 * Providers with the base URL and key variable from their public documentation. Spread one to change it: `{
 * ...builtInProviders.openai, baseUrl: '/api' }`. The last five are servers on your own machine, at their
 * default ports, and send no key unless you add an `apiKey`.
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
    // Reasoning is sent back in blocks: https://openrouter.ai/docs/use-cases/reasoning-tokens
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
    // Unknown fields and roles are rejected (422), and usage is always sent: https://docs.mistral.ai/api
    { callIdFormat: 'mistral', unsupported: ['developer', 'max_completion_tokens', 'stream_options'] },
  ),
  deepseek: /* @__PURE__ */ hosted(
    'deepseek',
    'https://api.deepseek.com',
    'DEEPSEEK_API_KEY',
    'https://platform.deepseek.com/api_keys',
    {
      // Refused (400) without it after a tool call: https://api-docs.deepseek.com/guides/thinking_mode
      sendReasoning: 'reasoning_content',
      // https://api-docs.deepseek.com/api/create-chat-completion
      unsupported: ['developer', 'max_completion_tokens'],
    },
  ),
  xai: /* @__PURE__ */ hosted('xai', 'https://api.x.ai/v1', 'XAI_API_KEY', 'https://console.x.ai'),
  groq: /* @__PURE__ */ hosted(
    'groq',
    'https://api.groq.com/openai/v1',
    'GROQ_API_KEY',
    'https://console.groq.com/keys',
  ),
  anthropic: /* @__PURE__ */ hosted(
    'anthropic',
    'https://api.anthropic.com/v1',
    'ANTHROPIC_API_KEY',
    'https://platform.claude.com/settings/keys',
  ),
  together: /* @__PURE__ */ hosted(
    'together',
    'https://api.together.ai/v1',
    'TOGETHER_API_KEY',
    'https://api.together.ai/settings/api-keys',
  ),
  fireworks: /* @__PURE__ */ hosted(
    'fireworks',
    'https://api.fireworks.ai/inference/v1',
    'FIREWORKS_API_KEY',
    'https://app.fireworks.ai/settings/users/api-keys',
  ),
  cerebras: /* @__PURE__ */ hosted(
    'cerebras',
    'https://api.cerebras.ai/v1',
    'CEREBRAS_API_KEY',
    'https://cloud.cerebras.ai',
  ),
  moonshot: /* @__PURE__ */ hosted(
    'moonshot',
    'https://api.moonshot.ai/v1',
    'MOONSHOT_API_KEY',
    'https://platform.moonshot.ai/console/api-keys',
    // Refused (400) without it after a tool call: https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
    { sendReasoning: 'reasoning_content' },
  ),
  zai: /* @__PURE__ */ hosted(
    'zai',
    'https://api.z.ai/api/paas/v4',
    'ZAI_API_KEY',
    'https://z.ai/manage-apikey/apikey-list',
  ),
  // Singapore; for Beijing https://dashscope.aliyuncs.com/compatible-mode/v1, with separate keys.
  dashscope: /* @__PURE__ */ hosted(
    'dashscope',
    'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    'DASHSCOPE_API_KEY',
    'https://modelstudio.console.alibabacloud.com',
  ),
  minimax: /* @__PURE__ */ hosted(
    'minimax',
    'https://api.minimax.io/v1',
    'MINIMAX_API_KEY',
    'https://platform.minimax.io',
  ),
  nvidia: /* @__PURE__ */ hosted(
    'nvidia',
    'https://integrate.api.nvidia.com/v1',
    'NVIDIA_API_KEY',
    'https://build.nvidia.com/settings/api-keys',
  ),
  huggingface: /* @__PURE__ */ hosted(
    'huggingface',
    'https://router.huggingface.co/v1',
    'HF_TOKEN',
    'https://huggingface.co/settings/tokens',
  ),
  // It accepts only max_tokens: https://docs.ollama.com/api/openai-compatibility
  ollama: { name: 'ollama', baseUrl: 'http://localhost:11434/v1', unsupported: ['max_completion_tokens'] },
  lmstudio: { name: 'lmstudio', baseUrl: 'http://localhost:1234/v1' },
  vllm: { name: 'vllm', baseUrl: 'http://localhost:8000/v1' },
  llamacpp: { name: 'llamacpp', baseUrl: 'http://localhost:8080/v1' },
  litellm: { name: 'litellm', baseUrl: 'http://localhost:4000/v1' },
} as const satisfies Record<string, ModelProvider>;

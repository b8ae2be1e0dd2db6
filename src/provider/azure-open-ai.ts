import type { ModelProvider } from './model-provider.js';

export interface AzureOpenAIOptions extends Pick<
  ModelProvider,
  'apiKey' | 'headers' | 'maxRetries' | 'idleTimeout' | 'sendReasoning'
> {
  /** The resource's address: `https://my-resource.openai.azure.com`. */
  readonly endpoint: string;
  /** The name of the deployment, which stands for the model. */
  readonly deployment: string;
  /** The version of Azure's API: `2024-10-21`. */
  readonly apiVersion: string;
  /** A token of Microsoft Entra ID in place of a key; a function is asked for each attempt, since tokens expire. */
  readonly token?: NonNullable<ModelProvider['apiKey']> | undefined;
}

/**
 * An Azure OpenAI deployment: its URL, its `api-version`, and its key in the header `api-key`. With
 * neither `apiKey` nor `token`, the environment variable `AZURE_OPENAI_API_KEY` holds the key.
 *
 * @example
 * ```ts
 * const provider = azureOpenAI({ endpoint: 'https://my.openai.azure.com', deployment: 'gpt-4o', apiVersion: '2024-10-21' });
 * streamChatCompletions('Hi', { model: 'gpt-4o', provider }).subscribe();
 * ```
 */
export function azureOpenAI(options: AzureOpenAIOptions): ModelProvider {
  const { endpoint, deployment, apiVersion, token, ...settings } = options;
  const deployed = {
    name: 'azure',
    baseUrl: `${endpoint.trim().replace(/\/+$/, '')}/openai/deployments/${encodeURIComponent(deployment)}`,
    queryParams: { 'api-version': apiVersion },
    ...settings,
  };
  if (token !== undefined) return { ...deployed, apiKey: token };
  return {
    ...deployed,
    apiKeyHeader: 'api-key',
    envKey: 'AZURE_OPENAI_API_KEY',
    envKeyInstructions: 'The key stands in the Azure portal, under the resource’s “Keys and Endpoint”.',
  };
}

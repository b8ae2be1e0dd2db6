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
}

/**
 * An Azure OpenAI deployment: its URL, its `api-version`, and its key in the header `api-key`. Without
 * an `apiKey`, the environment variable `AZURE_OPENAI_API_KEY` holds it. For Microsoft Entra ID give
 * `headers: { Authorization: 'Bearer …' }` and an `apiKey` no value; spread the result to change more.
 *
 * @example
 * ```ts
 * const provider = azureOpenAI({ endpoint: 'https://my.openai.azure.com', deployment: 'gpt-4o', apiVersion: '2024-10-21' });
 * streamChatCompletions('Hi', { model: 'gpt-4o', provider }).subscribe();
 * ```
 */
export function azureOpenAI({
  endpoint,
  deployment,
  apiVersion,
  ...settings
}: AzureOpenAIOptions): ModelProvider {
  return {
    name: 'azure',
    baseUrl: `${endpoint.trim().replace(/\/+$/, '')}/openai/deployments/${encodeURIComponent(deployment)}`,
    queryParams: { 'api-version': apiVersion },
    apiKeyHeader: 'api-key',
    envKey: 'AZURE_OPENAI_API_KEY',
    envKeyInstructions: 'The key stands in the Azure portal, under the resource’s “Keys and Endpoint”.',
    ...settings,
  };
}

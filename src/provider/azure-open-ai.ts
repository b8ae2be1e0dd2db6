import { withoutEndSlashes } from './endpoint.js';
import type { ModelProvider } from './model-provider.js';

export interface AzureOpenAIOptions extends Pick<
  ModelProvider,
  'apiKey' | 'apiKeyTimeout' | 'headers' | 'maxRetries' | 'idleTimeout' | 'sendReasoning' | 'unsupported'
> {
  /** The resource's address: `https://my-resource.openai.azure.com`. */
  readonly endpoint: string;
  /** The name of the deployment, which stands for the model. Default: the v1 API, where `model` is that name. */
  readonly deployment?: string | undefined;
  /** The version of Azure's API: `2024-10-21`. Required with a `deployment`; the v1 API needs none. */
  readonly apiVersion?: string | undefined;
  /** A token of Microsoft Entra ID in place of a key; a function is asked for each attempt, since tokens expire. */
  readonly token?: NonNullable<ModelProvider['apiKey']> | undefined;
}

/**
 * Azure OpenAI: its URL, and its key in the header `api-key`. With neither `apiKey` nor `token`, the environment
 * variable `AZURE_OPENAI_API_KEY` holds the key.
 *
 * With a `deployment` and an `apiVersion` it is that deployment, by its dated API; without, the resource's v1 API.
 *
 * @example
 * ```ts
 * const provider = azureOpenAI({ endpoint: 'https://my.openai.azure.com' });
 * streamChatCompletions('Hi', { model: 'my-deployment', provider }).subscribe();
 * ```
 *
 * @throws TypeError for a `deployment` without an `apiVersion`
 * @see {@link https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle}
 */
export function azureOpenAI(options: AzureOpenAIOptions): ModelProvider {
  const { endpoint, deployment, apiVersion, token, ...settings } = options;
  if (deployment !== undefined && apiVersion === undefined)
    throw new TypeError('options.apiVersion is required with a deployment, such as 2024-10-21.');
  const path = deployment === undefined ? 'v1' : `deployments/${encodeURIComponent(deployment)}`;
  const provider = {
    name: 'azure',
    // Nothing stays nothing, which is refused: a path alone would have the host of its page.
    baseUrl: endpoint.trim() === '' ? '' : `${withoutEndSlashes(endpoint)}/openai/${path}`,
    ...(apiVersion !== undefined && { queryParams: { 'api-version': apiVersion } }),
    ...settings,
  };
  if (token !== undefined) return { ...provider, apiKey: token };
  return {
    ...provider,
    apiKeyHeader: 'api-key',
    envKey: 'AZURE_OPENAI_API_KEY',
    envKeyInstructions: 'The key stands in the Azure portal, under the resource’s “Keys and Endpoint”.',
  };
}
